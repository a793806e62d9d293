"""Real components from Debian: an installed copy, else one unpacked aside by fetch_debs.sh."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve().parent
TOOLS = Path(os.environ.get("HALLMARKTOOLS") or _HERE.parents[1] / ".cache" / "tools")
_FETCH_SECONDS = 100
_TRIXIE = (
    "cosign",
    "skopeo",
    "libc6",
    "libgpgme11t64",
    "libassuan9",
    "libgpg-error0",
    "libsubid5",
    "libdevmapper1.02.1",
    "libsqlite3-0",
)
_RPM = (
    "rpm",
    "librpm9",
    "librpmio9",
    "librpmbuild9",
    "librpmsign9",
    "rpm-common",
    "db5.3-util",
    "libdb5.3",
    "liblua5.3-0",
    "debugedit",
    "libpopt0",
    "libmagic1",
    "libmagic-mgc",
)
_LIBRARIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu")


class ToolMissing(Exception):
    """A component is neither installed nor to be had; the text says why."""


def docker_registry() -> Path:
    """The program of CNCF distribution, 2.8 of Debian 12. Raises ToolMissing."""
    return _program("docker-registry", "bookworm", "usr/bin/docker-registry", "docker-registry")


def cosign() -> Path:
    """The program cosign, 2.5 of Debian 13. Raises ToolMissing."""
    return _unpacked("trixie", "trixie", *_TRIXIE) / "usr/bin/cosign"


def skopeo() -> tuple[str, ...]:
    """The command that runs skopeo, 1.18 of Debian 13: by the loader that it was unpacked with. Raises ToolMissing.

    Debian 12's own is no substitute: it rejects every sigstore signature, good or bad.
    """
    user = _unpacked("trixie", "trixie", *_TRIXIE) / "usr"
    loaders = [path for path in user.glob("lib*/**/ld-linux*") if path.is_file()]
    if not loaders:
        raise ToolMissing("the libc that skopeo was unpacked with has no loader")
    libraries = {str(path.parent) for path in user.glob("lib/**/libc.so.6")}
    search = ":".join([*sorted(libraries), *_LIBRARIES])
    return (str(loaders[0]), "--library-path", search, str(user / "bin/skopeo"))


@dataclass(frozen=True, slots=True)
class Tool:
    """A program with what it needs in its environment."""

    command: tuple[str, ...]
    variables: dict[str, str]


def rpm_tools() -> Path:
    """The folder `usr` with rpm, rpmbuild, db5.3_load and their libraries, of Debian 12. Raises ToolMissing."""
    return _unpacked("rpm", "bookworm", *_RPM) / "usr"


def mmdebstrap() -> Tool:
    """mmdebstrap, with the parts of Perl that a minimal Debian lacks. Raises ToolMissing."""
    installed = shutil.which("mmdebstrap")
    if installed:
        return Tool((installed,), {})
    perl = _perl_version()
    # Perl's modules must be of the Perl that runs them: the machine's own release.
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "bookworm")
    script = _program(
        "mmdebstrap", release, "usr/bin/mmdebstrap", "mmdebstrap", f"perl-modules-{perl}", f"libperl{perl}"
    )
    root = script.parents[2]
    modules = [root / "usr/share/perl" / perl, *root.glob(f"usr/lib/*/perl/{perl}")]
    variables = {
        "PERL5LIB": ":".join(map(str, modules)),
        # It calls mmtarfilter, which lies beside it.
        "PATH": f"{script.parent}:{os.environ.get('PATH', os.defpath)}",
    }
    return Tool(("perl", str(script)), variables)


def _perl_version() -> str:
    try:
        command = ["perl", "-e", 'printf "%vd", $^V']
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolMissing(f"mmdebstrap needs Perl: {error}") from error
    return said.rpartition(".")[0]


def _program(name: str, suite: str, path: str, *packages: str) -> Path:
    installed = shutil.which(name)
    return Path(installed) if installed else _unpacked(name, suite, *packages) / path


def _unpacked(name: str, suite: str, *packages: str) -> Path:
    folder = TOOLS / name
    try:
        subprocess.run(
            [_HERE / "fetch_debs.sh", folder, suite, *packages], check=True, capture_output=True, timeout=_FETCH_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or b""
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise ToolMissing(f"{name} is not installed and could not be unpacked: {error} {last}") from error
    return folder / "fs"
