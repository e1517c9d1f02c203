"""The models that come with grubio, a folder each."""

DEFAULT_MODELS = {"protein": "protein-ss", "dna": "ecoli-promoters"}
"""Model that labels an input if none is named, by alphabet."""
