"""What the process offers over gRPC: decode, use case, encode."""
