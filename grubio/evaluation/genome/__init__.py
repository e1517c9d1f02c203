"""Scores of a genome model on held-out blocks, compared with PWMs and k-mers."""
