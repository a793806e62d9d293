"""rpm's databases, in the three forms that rpm has kept them: each gives the header of every installed package."""
