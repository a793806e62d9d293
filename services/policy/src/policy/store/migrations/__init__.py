"""The schema, step by step; applied by `python -m policy migrate` alone."""
