"""Reading lock files, a module for each form or family of forms."""
