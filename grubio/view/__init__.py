"""Predictions drawn: ribbons above the residues, in a notebook and as a page of its own."""
