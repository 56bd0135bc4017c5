"""A private Redis on a socket that only its own account (and root) can reach."""

import shutil
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from paysite.launcher.places import Account, Places, account_for, home_of, socket_folder
from paysite.launcher.progress import LaunchFailed
from paysite.launcher.supervisor import Service

READY_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Redis:
    """A Redis of ours: where it lives and who runs it."""

    home: Path
    socket: Path
    account: Account | None

    def broker_url(self) -> str:
        """For Celery."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    def cache_url(self) -> str:
        """For Django's cache; a database of its own."""
        return f"unix://{self.socket}?db=1"


def locate(places: Places) -> Redis:
    """Find the folders. Nothing is started."""
    account = account_for("redis")
    home = home_of("redis", places, account)
    return Redis(
        home=home, socket=socket_folder(home, places, account) / "redis.sock", account=account
    )


def service(redis: Redis, *, env: Mapping[str, str]) -> Service:
    """How to run it. What is queued survives a crash: every write is in the append-only file."""
    program = shutil.which("redis-server")
    if program is None:
        raise LaunchFailed(
            "redis-server was not found.", advice="sudo apt-get install redis-server"
        )
    options = {
        "port": "0",
        "unixsocket": str(redis.socket),
        "unixsocketperm": "700",
        "dir": str(redis.home),
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
        "loglevel": "warning",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    return Service(
        name="redis",
        command=(program, *words),
        env=env,
        cwd=redis.home,
        account=redis.account,
        stop_signal=signal.SIGTERM,
        is_server=True,
        before_start=lambda: redis.socket.unlink(missing_ok=True),
    )


def is_ready(redis: Redis) -> bool:
    """Whether it answers PING; while it reads its file it answers that it is loading."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(1.0)
        try:
            line.connect(str(redis.socket))
            line.sendall(b"PING\r\n")
            return line.recv(64).startswith(b"+PONG")
        except OSError:
            return False
