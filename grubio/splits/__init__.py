"""Training, validation and test sets without homologs or copies between them."""
