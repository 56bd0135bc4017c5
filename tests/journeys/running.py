"""The real platform as `make run` starts it, seen and handled from outside."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from paysite.launcher.places import CHECKOUT, Places, homes_elsewhere
from paysite.launcher.processes import all_processes, mark_of, wait_until, works_in
from paysite.launcher.running import free_port

START_SECONDS: Final = 150.0
STOP_SECONDS: Final = 90.0
READY: Final = "Ctrl-C stops everything."
T = TypeVar("T")


class Part(StrEnum):
    """A service of the platform, told by a word in its command line."""

    WEB = "--port {port} "
    NOTIFIER = "sandbox_notify"
    DISPATCHER = "callbacks@"
    WORKER = "worker@"
    BEAT = " beat "
    REDIS = "redis-server"


@dataclass
class Platform:
    """One launcher on a DATA_DIR of its own."""

    data: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        environ = {
            name: value for name, value in os.environ.items() if not name.endswith("_URL")
        } | {"DATA_DIR": str(self.data), "PORT": str(self.port), "DEMO": "true"}
        environ.pop("MAKELEVEL", None)
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "paysite.launcher", "run"],
                cwd=CHECKOUT, env=environ, stdout=output, stderr=output,
            )  # fmt: skip
        process = self.process
        wait_until(
            lambda: READY in self.output.read_text() or process.poll() is not None,
            seconds=START_SECONDS,
            every=0.2,
        )
        assert READY in self.output.read_text(), self.output.read_text()

    def stop(self) -> None:
        """As Ctrl-C does; the server's home outside the test's folder is removed."""
        if self.process is None:
            return
        self.process.terminate()
        assert self.process.wait(timeout=STOP_SECONDS) == 0
        places = Places(checkout=CHECKOUT, data=self.data)
        for home in homes_elsewhere(places):
            shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)

    @property
    def output(self) -> Path:
        """What the launcher says."""
        return self.data.parent / f"{self.data.name}.out"

    @property
    def url(self) -> str:
        """Where browsers and programs find it."""
        return str(self.demo["base_url"])

    @property
    def demo(self) -> dict[str, Any]:
        """demo.json"""
        document: dict[str, Any] = json.loads((self.data / "demo.json").read_text())
        return document

    def processes(self, part: Part) -> list[int]:
        """The processes of a service, the one that the launcher started first."""
        word, mark = part.format(port=self.port), f"{self.data.resolve()}#"
        ours = [pid for pid in all_processes() if mark_of(pid).startswith(mark)]
        leaders = [pid for pid in ours if is_leader(pid) and word in command_line(pid)]
        if part is Part.REDIS:  # It overwrites its environment; its working directory tells it.
            home = (self.data / "redis").resolve()
            leaders = [pid for pid in all_processes() if works_in(pid, [home])]
        followers = [pid for pid in ours if session_of(pid) in leaders and pid not in leaders]
        return [*leaders, *followers]

    @property
    def postmaster(self) -> int:
        """The process of PostgreSQL that starts all its others; 0 while there is none."""
        try:
            return int((self.data / "postgres/data/postmaster.pid").read_text().split()[0])
        except (OSError, IndexError):
            return 0

    def ask(self, statement: str, **facts: str) -> list[list[str]]:
        """Rows of a statement, asked past the platform; `:'name'` stands for a fact."""
        known = [word for name, fact in facts.items() for word in ("-v", f"{name}={fact}")]
        done = subprocess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *known],
            env=self.environ, input=statement, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return [line.split("|") for line in done.stdout.splitlines()]

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of manage.py in the environment of the web server."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=CHECKOUT, env=self.environ, capture_output=True, text=True, check=False,
        )  # fmt: skip

    @cached_property
    def environ(self) -> dict[str, str]:
        """The environment of the web server: addresses of the private servers, and the keys."""
        raw = Path(f"/proc/{self.processes(Part.WEB)[0]}/environ").read_bytes()
        return dict(each.split("=", 1) for each in os.fsdecode(raw).split("\0") if "=" in each)

    def is_ready(self) -> bool:
        """Whether all that requests need is up."""
        with suppress(httpx.HTTPError):
            answer = httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False)
            return answer.status_code == 200 and answer.json()["broker"] == "ok"
        return False


def command_line(pid: int) -> str:
    """The words a process was started with; "" when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def session_of(pid: int) -> int:
    """The launcher gives each service a session of its own."""
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def is_leader(pid: int) -> bool:
    """Whether the launcher started it."""
    return session_of(pid) == pid


def kill(pids: list[int], by: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to processes; some may have ended with their parent."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, by)


def eventually(get: Callable[[], T], *, seconds: float = 20.0, every: float = 0.1) -> T:
    """Ask until the answer is truthy; the last answer when time is up."""
    found: list[T] = []

    def is_there() -> bool:
        found[:] = [get()]
        return bool(found[0])

    wait_until(is_there, seconds=seconds, every=every)
    return found[0]
