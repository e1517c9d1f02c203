"""The models that come with grubio, a folder each."""
