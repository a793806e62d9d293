"""Between protobuf messages and the scanner's own types."""
