"""Model bundles that come with grubio, one folder each."""
