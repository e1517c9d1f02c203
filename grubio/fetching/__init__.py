"""Files from URLs and accessions, checked, locked and cached, and the data of grubio itself."""
