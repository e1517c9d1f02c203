"""Networks, the model bundle on disk, calibration, and what computes them on a CPU."""
