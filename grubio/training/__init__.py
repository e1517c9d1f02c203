"""A dataset in, a model bundle out: examples, losses, the loop, several processes, ensembles."""
