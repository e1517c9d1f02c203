"""What a model is worth on held-out sequences, beside baselines."""
