"""Data that comes with grubio; see embedded.py."""
