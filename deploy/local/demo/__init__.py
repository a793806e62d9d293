"""The demonstration: the whole workflow on one machine, on real images, with the commands that a person would type."""
