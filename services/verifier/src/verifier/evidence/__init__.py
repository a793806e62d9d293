"""What the registry holds about an image: signatures found, parsed, and checked under keys.

The parsers here are written from the formats' specifications for the verifier alone; the signer has its own.
"""
