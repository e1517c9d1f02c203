"""What a genome model is worth on held-out blocks, beside PWMs and k-mers."""
