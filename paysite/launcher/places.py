"""Where things live: the checkout, DATA_DIR, and homes that a server's own account can enter."""

import fcntl
import hashlib
import os
import pwd
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from paysite.launcher.progress import LaunchFailed

CHECKOUT: Final = Path(__file__).resolve().parent.parent.parent
ELSEWHERE: Final = Path("/var/lib/paysite")
SOCKET_PATH_MAX: Final = 100
"""Linux allows 107 bytes in a socket's address."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user that a private server runs as, when root starts it."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of one installation."""

    checkout: Path
    data: Path

    @property
    def logs(self) -> Path:
        """One log per process and one for the steps."""
        return self.data / "logs"

    @property
    def venv(self) -> Path:
        """The virtual environment; it belongs to the checkout, not to DATA_DIR."""
        return self.checkout / ".venv"

    @property
    def python(self) -> Path:
        """The interpreter that has the locked packages."""
        return self.venv / "bin" / "python"

    @property
    def digest(self) -> str:
        """Short name of this DATA_DIR for folders outside it."""
        return hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]


def open_places(data: Path, *, checkout: Path = CHECKOUT) -> Places:
    """Make DATA_DIR when it is new. Root's is passable: server accounts must reach their homes."""
    data = data if data.is_absolute() else checkout / data
    places = Places(checkout=checkout, data=data.resolve())
    try:
        if not places.data.exists():
            places.data.mkdir(parents=True)
            places.data.chmod(0o711 if os.geteuid() == 0 else 0o700)
        places.logs.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise LaunchFailed(
            f"{places.data} cannot be written: {error.strerror}.",
            advice="Set DATA_DIR to a folder of your own, or run as the user who owns this one.",
        ) from error
    return places


@contextmanager
def alone(places: Places) -> Iterator[None]:
    """Hold DATA_DIR for this launcher; a second one is refused. The kernel lets go when we die."""
    path = places.data / "launcher.lock"
    try:
        file = path.open("a+")
    except OSError as error:
        raise LaunchFailed(
            f"{path} cannot be opened: {error.strerror}.",
            advice="Set DATA_DIR to a folder of your own, or run as the user who owns this one.",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LaunchFailed(
                f"{places.data} is in use by another launcher (process {file.read().strip()}).",
                advice="Stop that one, or give this one its own place: "
                "make run DATA_DIR=/path/of/your/choice PORT=8001",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait for other launchers that work on the same file of the checkout."""
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def account_for(name: str) -> Account | None:
    """The account a server needs. An ordinary user needs none: servers run as that user."""
    if os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        raise LaunchFailed(
            f"There is no user {name!r}, and the server refuses to run as root.",
            advice=f"useradd --system {name}, or run as an ordinary user.",
        ) from None
    return Account(name=name, uid=found.pw_uid, gid=found.pw_gid)


def may_enter(folder: Path, account: Account) -> bool:
    """Whether the account can pass through the folder."""
    facts = folder.stat()
    if facts.st_uid == account.uid:
        return bool(facts.st_mode & stat.S_IXUSR)
    if facts.st_gid == account.gid:
        return bool(facts.st_mode & stat.S_IXGRP)
    return bool(facts.st_mode & stat.S_IXOTH)


def home_of(server: str, places: Places, account: Account | None) -> Path:
    """The server's private folder, mode 0700: in DATA_DIR, or below /var/lib when root keeps the
    checkout where the server's account cannot go. A link in DATA_DIR then shows the way; where
    DATA_DIR was copied or removed, the link is not ours or gone, and a new home is made.
    """
    home = places.data / server
    enterable = account is None or all(
        may_enter(folder, account) for folder in (places.data, *places.data.parents)
    )
    if home.is_symlink():
        elsewhere = home.readlink()
        if elsewhere.parent.name.startswith(f"{places.digest}-") and elsewhere.is_dir():
            return private_folder(elsewhere, account)
        home.unlink()
    if not home.exists() and not enterable:
        elsewhere = ELSEWHERE / f"{places.digest}-{secrets.token_hex(4)}" / server
        elsewhere.parent.mkdir(mode=0o711, parents=True)
        home.symlink_to(elsewhere)
        home = elsewhere
    return private_folder(home, account)


def homes_elsewhere(places: Places) -> list[Path]:
    """The folders outside DATA_DIR that go when DATA_DIR goes."""
    return [entry.readlink().parent for entry in places.data.iterdir() if entry.is_symlink()]


def socket_folder(home: Path, places: Places, account: Account | None) -> Path:
    """Where the server puts its socket: in its home, or in /tmp when that address is too long."""
    folder = home / "socket"
    if len(os.fsencode(folder)) + len("/.s.PGSQL.5432") > SOCKET_PATH_MAX:
        folder = Path("/tmp") / f"paysite-{places.digest}-{home.name}"  # noqa: S108 -- checked below
    return private_folder(folder, account)


def private_folder(folder: Path, account: Account | None) -> Path:
    """Make the folder for one account only, and refuse one that somebody else has laid there."""
    uid = account.uid if account else os.geteuid()
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in (uid, os.geteuid()):
        raise LaunchFailed(
            f"{folder} belongs to somebody else (user {facts.st_uid}).",
            advice="Run as that user, remove the folder, or set DATA_DIR to another place.",
        )
    if account and facts.st_uid != uid:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    folder.chmod(0o700)
    return folder
