"""The suite on this machine: its own authority, its configuration, and its five processes."""
