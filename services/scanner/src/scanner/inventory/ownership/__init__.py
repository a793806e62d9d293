"""Which packages of languages a package of the distribution owns, by what its package manager wrote down of files."""
