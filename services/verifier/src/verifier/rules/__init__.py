"""A cluster's policy, and which of its rules decides about an image."""
