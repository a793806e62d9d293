"""Which files can tell of packages of languages: all that is kept of the lists of files that package managers write."""

_ENDS = (
    *(".json", ".lock", ".yaml", ".toml", ".txt", ".properties"),
    *(".egg-info", ".gemspec", ".node", ".exe", ".dll"),
    *(".jar", ".war", ".ear", ".par", ".sar", ".rar", ".hpi", ".jpi", ".lpkg", ".kar", ".nar", ".aar"),
)
_NEVER = ("usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/zoneinfo/", "usr/share/icons/")


def may_tell(path: str) -> bool:
    """Whether the file at a path may tell of a package of a language: as its description, as a program or archive.

    Where it says no, the file counts as nobody's: its packages are then compared with advisories twice, never not.
    """
    name = path.rpartition("/")[2]
    told = "." not in name or ".so" in name or "bin/" in path or name.lower().endswith(_ENDS)
    return told and not any(folder in path for folder in _NEVER)
