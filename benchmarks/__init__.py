"""Measurements: `python -m benchmarks` (or `make bench`) prints what the README quotes."""
