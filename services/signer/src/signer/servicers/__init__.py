"""The gRPC services that the signer offers."""
