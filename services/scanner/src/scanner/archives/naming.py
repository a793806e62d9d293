"""Under which name an image from an archive is known: in a namespace of its own, which no registry can have."""

HOST = "archive.invalid"
"""A host that can't exist (RFC 2606, section 2): nothing can be pulled from it, so nothing of it can be run."""


def is_of_archive(repository: str) -> bool:
    """Whether `host/repository` is that of an image from an archive."""
    return repository.startswith(f"{HOST}/")
