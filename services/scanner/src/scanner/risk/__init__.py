"""The risk of an image: what its open findings, its inventory and the age of its feeds make of it."""
