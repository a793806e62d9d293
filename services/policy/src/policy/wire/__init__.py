"""Between protobuf and the service's own words: one module for each kind of message."""
