"""The gRPC services that the scanner offers: each decodes, calls a use case, encodes."""
