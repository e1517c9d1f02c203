"""Sequences in, labelled sequences and called features out."""
