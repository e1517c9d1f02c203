"""Prediction in shards: cut the input, label each shard anywhere, put the answers together."""
