"""The migrations of the signer's database, in order."""
