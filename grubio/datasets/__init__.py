"""The dataset on disk, and how labelled sequences and annotated genomes become one."""
