"""The process manager: starts services, restarts what dies, shows their output, stops all."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from paysite.launcher.places import Account, Places
from paysite.launcher.processes import end_group, spawn, tell, wait_until
from paysite.launcher.progress import LaunchFailed, Progress

TICK_SECONDS: Final = 0.1
FIRST_BACKOFF_SECONDS: Final = 0.2
BACKOFF_SECONDS_MAX: Final = 15.0
HEALTHY_SECONDS: Final = 30.0
STOP_SECONDS: Final = 15.0
SERVER_STOP_SECONDS: Final = 60.0
EARLY_DEATHS_MAX: Final = 3
LOG_BYTES_MAX: Final = 10_000_000


def nothing() -> None:
    """What most services do before they start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One process of the platform and how to start and stop it."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    is_server: bool = False
    """Servers stop last and write to their log only."""
    before_start: Callable[[], None] = nothing


@dataclass(slots=True)
class Running:
    """A service under supervision."""

    service: Service
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    due: float = 0.0
    """When a dead service is started again."""
    rest: bytes = b""
    """The beginning of a line whose end has not come yet."""


class Log:
    """A file that is turned over once it is large; one older file is kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.open("ab")

    def write(self, data: bytes) -> None:
        """Append, unbuffered enough for a person who follows it."""
        self.file.write(data)
        self.file.flush()
        if self.file.tell() > LOG_BYTES_MAX:
            self.file.close()
            self.path.replace(self.path.with_suffix(".log.1"))
            self.file = self.path.open("ab")


@dataclass(slots=True)
class Supervisor:
    """Runs services until it is told to stop. Used from the main thread only."""

    places: Places
    progress: Progress
    running: dict[str, Running] = field(default_factory=dict)
    logs: dict[str, Log] = field(default_factory=dict)
    pipes: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    is_settled: bool = False
    """Set once the platform has been ready: from then on a dying service is restarted for ever."""

    def start(self, service: Service) -> None:
        """Start a service and keep it running from now on."""
        self.running[service.name] = Running(service=service)
        self.launch(self.running[service.name])

    def launch(self, running: Running) -> None:
        """Start its process; called again after each death."""
        service = running.service
        service.before_start()
        running.started = time.monotonic()
        try:
            if service.is_server:
                with self.log_path(service).open("ab") as output:
                    running.process = self.spawn(service, output)
            else:
                reader, writer = os.pipe()
                os.set_blocking(reader, False)
                with open(writer, "wb") as output:
                    self.pipes.register(reader, selectors.EVENT_READ, running)
                    running.process = self.spawn(service, output)
        except OSError as error:
            raise LaunchFailed(f"{service.name} cannot start: {error}") from error

    def spawn(self, service: Service, output: IO[bytes]) -> subprocess.Popen[bytes]:
        """The process itself, which ends when we end."""
        return spawn(
            service.command,
            env=service.env,
            cwd=service.cwd,
            output=output,
            account=service.account,
            death_signal=service.stop_signal,
        )

    def log_path(self, service: Service) -> Path:
        """Each service has its own log."""
        return self.places.logs / f"{service.name}.log"

    def wait_for(
        self, name: str, is_ready: Callable[[], bool], *, seconds: float, advice: str = ""
    ) -> None:
        """Look after everything until this service answers; fail when it cannot."""
        until = time.monotonic() + seconds
        running = self.running[name]
        while not is_ready():
            self.tick()
            if running.deaths >= EARLY_DEATHS_MAX or time.monotonic() > until:
                raise LaunchFailed(
                    f"{name} did not become ready"
                    + (f": it ended {running.deaths} times." if running.deaths else " in time."),
                    advice=advice,
                    log=self.log_path(running.service),
                )

    def watch(self) -> None:
        """Look after everything until a signal ends it."""
        while True:
            self.tick()

    def tick(self) -> None:
        """One round: pass output on, notice deaths, start again what is due."""
        self.pump(TICK_SECONDS)
        now = time.monotonic()
        for running in self.running.values():
            if running.process is not None and running.process.poll() is not None:
                self.mourn(running, now)
            elif running.process is None and now >= running.due:
                self.launch(running)

    def mourn(self, running: Running, now: float) -> None:
        """A service died: end what it left, and set the time of its restart."""
        process = running.process
        if process is None:
            return
        end_group(process.pid)
        running.process = None
        running.deaths = 1 if now - running.started > HEALTHY_SECONDS else running.deaths + 1
        wait = min(FIRST_BACKOFF_SECONDS * 2 ** (running.deaths - 1), BACKOFF_SECONDS_MAX)
        running.due = now + wait
        how = f"exit code {process.returncode}"
        if process.returncode < 0:
            how = signal.Signals(-process.returncode).name
        if self.is_settled or not running.service.is_server:
            self.progress.say(f"{running.service.name} ended ({how}); again in {wait:.1f} s")

    def pump(self, seconds: float) -> None:
        """Copy what services say to the terminal and to their logs."""
        if not self.pipes.get_map():
            wait_until(lambda: False, seconds=seconds)
            return
        for key, _ in self.pipes.select(seconds):
            running: Running = key.data
            data = os.read(key.fd, 65536)
            if data:
                self.write(running, data)
            else:
                self.pipes.unregister(key.fd)
                os.close(key.fd)

    def write(self, running: Running, data: bytes) -> None:
        """Whole lines go to the terminal behind the service's name; bytes go to its log."""
        name = running.service.name
        if name not in self.logs:
            self.logs[name] = Log(self.log_path(running.service))
        self.logs[name].write(data)
        *lines, running.rest = (running.rest + data).split(b"\n")
        if self.is_settled:
            for line in lines:
                self.progress.say(f"{name:>16} | {line.decode(errors='replace')}")

    def stop(self) -> None:
        """End everything: the platform's processes first, then the servers they write to."""
        everything = list(self.running.values())
        if self.is_settled:
            self.progress.say("Stopping …")
        self.end([each for each in everything if not each.service.is_server], STOP_SECONDS)
        self.end([each for each in everything if each.service.is_server], SERVER_STOP_SECONDS)
        self.running.clear()

    def hurry(self) -> None:
        """A second request to stop: the platform's processes are killed, servers still end well."""
        for each in self.running.values():
            if each.process is not None and not each.service.is_server:
                end_group(each.process.pid)

    def end(self, some: list[Running], seconds: float) -> None:
        """Ask these services to end, wait, then kill what is left of them."""
        live = [each for each in some if each.process is not None]
        for each in live:
            if each.process is not None and each.process.poll() is None:
                tell(each.process.pid, each.service.stop_signal)

        def all_ended() -> bool:
            self.pump(0.02)
            return all(each.process is None or each.process.poll() is not None for each in live)

        wait_until(all_ended, seconds=seconds)
        for each in live:
            if each.process is not None:
                end_group(each.process.pid)
                each.process.wait()
                each.process = None
