"""What computes a model for prediction: the packed engine of the GRU, and padded batches."""
