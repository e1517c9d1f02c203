"""The search for homologs, by MMseqs2 or by shared k-mers."""
