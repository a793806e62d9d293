"""The policy of a cluster as a document: what it may say, and everything that can be wrong with it."""
