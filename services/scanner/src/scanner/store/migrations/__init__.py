"""The scanner's schema, step by step."""
