"""The folder of a study, and what is installed."""
