"""The one neighbour."""
