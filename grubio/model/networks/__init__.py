"""Networks by name: codes and lengths in, a state for each residue out."""
