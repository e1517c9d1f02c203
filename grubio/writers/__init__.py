"""Writers of predictions, one file for each output format, and the one place that opens them."""
