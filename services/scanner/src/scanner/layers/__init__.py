"""Layers: archives read as they stream in, and put upon each other as a container runtime would."""
