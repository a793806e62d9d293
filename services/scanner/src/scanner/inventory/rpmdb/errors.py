"""What is wrong with a database of rpm."""


class DatabaseMalformed(Exception):
    """It can't be read; the text says why, in a sentence."""
