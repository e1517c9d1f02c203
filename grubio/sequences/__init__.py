"""Alphabets, label schemes, records, loci, windows, segments: values, and nothing else."""
