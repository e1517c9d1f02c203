"""Writers of predictions, one file for each output format, and the table of formats."""
