"""Keys: what they are, how they sign, and the vault that holds them."""
