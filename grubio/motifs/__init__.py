"""What a DNA model has learned: logos, matrices and in-silico mutagenesis."""
