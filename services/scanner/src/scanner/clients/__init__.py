"""The neighbours that the scanner calls."""
