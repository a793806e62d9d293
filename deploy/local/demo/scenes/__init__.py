"""The scenes, in order. Each has a TITLE, the TITLES of the cases that it proves, and a `play`."""
