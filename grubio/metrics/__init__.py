"""Predicted labels, probabilities and sites measured against the truth, with intervals."""
