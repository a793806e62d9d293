"""The gRPC services offered."""
