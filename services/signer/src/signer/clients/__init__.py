"""The neighbours that the signer calls."""
