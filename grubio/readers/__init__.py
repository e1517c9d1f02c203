"""Readers, one file for each input format; each yields records in the order of its file."""
