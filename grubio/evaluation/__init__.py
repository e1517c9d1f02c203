"""Scores of a model on held-out sequences, compared with baselines."""
