"""Prediction in shards: cut the input, label each shard anywhere, gather the outputs."""
