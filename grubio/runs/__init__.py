"""The folder of a run: its files, its scores, and groups of runs that differ in their seed."""
