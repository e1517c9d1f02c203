"""Alignments in, profiles out: sequence weights, pseudocounts, search, and the file of profiles."""
