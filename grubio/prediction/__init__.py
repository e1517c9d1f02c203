"""Prediction from files to files, and what it costs."""
