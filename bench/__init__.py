"""Measurements that are too long for the tests: ``python -m bench`` lists them. Each prints ``name: value`` lines."""
