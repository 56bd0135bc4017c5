"""System packages: what is missing is installed when we may; otherwise the command is named."""

import importlib.util
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from paysite.launcher.places import Places
from paysite.launcher.processes import read_output, run_logged
from paysite.launcher.progress import LaunchFailed


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package, and a program or file that shows the same thing elsewhere."""

    name: str
    program: str = ""


POSTGRESQL: Final = Package("postgresql", "postgres")
REDIS: Final = Package("redis-server", "redis-server")
RUN: Final = (
    Package("gettext", "msgfmt"),
    Package("libpango-1.0-0"),
    Package("libpangoft2-1.0-0"),
    Package("libharfbuzz-subset0"),
    Package("fonts-noto-cjk"),
)
RECOGNISER: Final = (
    Package("tesseract-ocr", "tesseract"),
    Package("tesseract-ocr-chi-sim"),
)
"""Optional: without them documents are not read for suggestions, and everything else works."""
TEST: Final = (
    *RECOGNISER,
    Package("chromium", "chromium"),
    Package("libatomic1"),
    Package("poppler-utils", "pdftotext"),
)
ALL_THERE: Final = "all installed"
BENCH: Final = (Package("wrk", "wrk"),)
LIBRARY_OF: Final = {
    "libpango-1.0-0": "libpango-1.0.so.0",
    "libpangoft2-1.0-0": "libpangoft2-1.0.so.0",
    "libharfbuzz-subset0": "libharfbuzz-subset.so.0",
    "libatomic1": "libatomic.so.1",
}


def ensure(packages: Sequence[Package], *, places: Places, env: Mapping[str, str]) -> str:
    """Have the packages, or fail with the one command that brings them. Returns a word on it."""
    if shutil.which("dpkg-query") is None:
        check_programs(packages)
        return "programs found (not a Debian system)"
    wanted = [package.name for package in packages]
    if importlib.util.find_spec("ensurepip") is None:
        wanted.append("python3-venv")
    missing = [name for name in wanted if name not in installed(wanted)]
    if not missing:
        return ALL_THERE
    install = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    prefix = rights()
    if prefix is None:
        raise LaunchFailed(
            f"System packages are missing: {' '.join(missing)}.",
            advice=f"sudo apt-get update && sudo {' '.join(install)}",
        )
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    waiting = ["-o", "DPkg::Lock::Timeout=120"]
    advice = f"Run it by hand to see why: {' '.join([*prefix, *install])}"
    run_logged(
        [*apt, "update"],
        what="apt-get update failed",
        places=places,
        env=env,
        advice=advice,
    )
    run_logged(
        [*apt, *waiting, *install[1:]],
        what=f"Installing {' '.join(missing)} failed",
        places=places,
        env=env,
        advice=advice,
    )
    return f"installed {' '.join(missing)}"


def wish(packages: Sequence[Package], *, places: Places, env: Mapping[str, str]) -> str:
    """Have the packages if that is easy. Returns a word on it, also when it was not."""
    try:
        return ensure(packages, places=places, env=env)
    except LaunchFailed as failure:
        return f"left out: {failure.what} {failure.advice}".rstrip()


def installed(names: Sequence[str]) -> set[str]:
    """Which of these dpkg has. An unknown name is a complaint, but the others are still told."""
    question = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names]
    told = read_output(question, success=(0, 1)) or ""
    return {line.split()[0] for line in told.splitlines() if line.endswith(" installed")}


def rights() -> list[str] | None:
    """What goes before apt-get: nothing for root, sudo if it asks no password; None: we may not."""
    if os.geteuid() == 0:
        return []
    return ["sudo", "-n"] if read_output(["sudo", "-n", "true"]) is not None else None


def check_programs(packages: Sequence[Package]) -> None:
    """On other systems we install nothing; programs and libraries must be there already."""
    missing = [package.program or package.name for package in packages if not is_present(package)]
    if missing:
        raise LaunchFailed(
            f"Missing on this machine: {', '.join(missing)}.",
            advice="Install them with your system's package manager (Debian's names: "
            + " ".join(package.name for package in packages)
            + ").",
        )


def is_present(package: Package) -> bool:
    """Whether the program or library of a package is on this machine. Fonts are taken on trust."""
    if package.program:
        return bool(shutil.which(package.program) or server_programs(package.program))
    library = LIBRARY_OF.get(package.name)
    if library is None:
        return True
    listed = read_output(["ldconfig", "-p"])
    return listed is None or library in listed


def server_programs(program: str) -> list[Path]:
    """PostgreSQL keeps its programs outside PATH, a folder per version; newest first."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    found = [folder / program for folder in folders if (folder / program).exists()]
    return sorted(found, key=lambda path: version_in(path.parent.parent.name), reverse=True)


def version_in(name: str) -> int:
    """The number in a folder's name such as 15 or pgsql-15."""
    return int("".join(letter for letter in name if letter.isdigit()) or 0)
