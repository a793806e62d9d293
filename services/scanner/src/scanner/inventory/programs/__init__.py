"""What compilers and people leave in programs: how these are laid out, and what is read in them."""
