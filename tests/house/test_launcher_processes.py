"""The launcher with real servers: started, killed, started again, refused, stopped."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from paysite.launcher.places import CHECKOUT, Places, homes_elsewhere
from paysite.launcher.processes import all_processes, mark_of, wait_until, works_in
from paysite.launcher.running import free_port

pytestmark = pytest.mark.process

SECONDS = 60.0


class Platform:
    """One launcher on a DATA_DIR of its own, seen from outside."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.output = data.parent / f"{data.name}.out"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, stub: str = "quick", port: int = 0, through: tuple[str, ...] = ()) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
        environ |= {"DATA_DIR": str(self.data), "PORT": str(port or self.port), "STUB": stub}
        environ.pop("MAKELEVEL", None)
        command = (sys.executable, "-m", "tests.house.stub_platform", "run")
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*through, *command], cwd=CHECKOUT, env=environ, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_ready(self) -> None:
        ready = wait_until(lambda: "\nready\n" in self.said or self.has_ended(), seconds=SECONDS)
        assert ready, self.said
        assert not self.has_ended(), self.said

    def has_ended(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None

    def exit_code(self) -> int:
        assert self.process is not None
        return self.process.wait(timeout=SECONDS)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as page:
                return bool(page.status == 200)
        except OSError:
            return False

    def server(self, name: str) -> Path:
        return (self.data / name).resolve()

    def processes(self, *, named: str = "") -> list[int]:
        """All that this platform runs, or those with a word in their command line."""
        mark, homes = f"{self.data}#", [self.server("postgres"), self.server("redis")]
        ours = [
            pid for pid in all_processes() if mark_of(pid).startswith(mark) or works_in(pid, homes)
        ]
        return [pid for pid in ours if named in command_line(pid)]

    def ask_database(self, statement: str) -> str:
        command = ["psql", "-h", str(self.server("postgres") / "socket"), "-U", "paysite"]
        done = subprocess.run(
            [*command, "-XAtc", statement, "paysite"], check=True, capture_output=True, text=True
        )
        return str(done.stdout).strip()

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.exit_code()


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@pytest.fixture
def make_platform(tmp_path: Path) -> Iterator[Callable[[str], Platform]]:
    """Makes platforms; whatever a test leaves of them is ended and removed."""
    made: list[Platform] = []

    def make(name: str = "data") -> Platform:
        made.append(Platform(tmp_path / name))
        return made[-1]

    yield make
    for platform in made:
        if platform.process is not None and not platform.has_ended():
            platform.process.terminate()
            platform.exit_code()
        assert wait_until(lambda each=platform: not each.processes(), seconds=SECONDS)  # type: ignore[misc]
        places = Places(checkout=CHECKOUT, data=platform.data)
        for home in homes_elsewhere(places):
            shutil.rmtree(home)


@pytest.fixture
def platform(make_platform: Callable[[str], Platform]) -> Platform:
    return make_platform("data")


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_told_to_stop_it_ends_everything_and_calls_it_a_success(platform, by):
    platform.start()
    platform.wait_ready()
    assert platform.answers()

    os.kill(platform.pid, by)

    assert platform.exit_code() == 0
    assert platform.processes() == []
    assert not platform.answers()


def test_stopping_in_the_middle_of_a_step_leaves_nothing_either(platform):
    platform.start()
    assert wait_until(lambda: "PostgreSQL" in platform.said, seconds=SECONDS)

    os.kill(platform.pid, signal.SIGTERM)

    assert platform.exit_code() == 0
    assert platform.processes() == []


def test_a_killed_launcher_takes_everything_with_it_and_the_next_one_finds_the_data(platform):
    platform.start(stub="durable")
    platform.wait_ready()
    platform.ask_database("create table kept as select 42 as answer")

    platform.kill()

    assert wait_until(lambda: not platform.processes(), seconds=SECONDS), "left: " + "; ".join(
        command_line(pid) for pid in platform.processes()
    )
    platform.start()
    platform.wait_ready()
    assert platform.ask_database("select answer from kept") == "42"


def test_a_new_launcher_need_not_wait_until_the_killed_one_has_left(platform):
    platform.start()
    platform.wait_ready()

    platform.kill()
    platform.start()

    platform.wait_ready()
    assert platform.answers()


def test_a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle(platform):
    platform.start()
    platform.wait_ready()
    os.kill(platform.pid, signal.SIGTERM)
    platform.exit_code()
    owner = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    with subprocess.Popen(
        ["sleep", "600"],
        user=owner.pw_uid if owner else None,
        group=owner.pw_gid if owner else None,
        extra_groups=[] if owner else None,
    ) as stranger:
        data = platform.server("postgres") / "data"
        pid_file = data / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{data}\n1700000000\n5432\n{data}\n\n\n")
        if owner:
            os.chown(pid_file, owner.pw_uid, owner.pw_gid)

        platform.start()

        platform.wait_ready()
        assert stranger.poll() is None
        stranger.kill()


def test_two_data_folders_run_side_by_side(make_platform):
    first, second = make_platform("first"), make_platform("second")
    first.start()
    second.start()
    first.wait_ready()
    second.wait_ready()

    first.kill()

    assert wait_until(lambda: not first.processes(), seconds=SECONDS)
    assert second.answers()
    assert second.ask_database("select 1") == "1"


def test_a_second_launcher_on_the_same_data_is_refused_and_the_first_goes_on(platform):
    platform.start()
    platform.wait_ready()
    second = Platform(platform.data)
    second.output = platform.output.with_suffix(".second")

    second.start()

    assert second.exit_code() == 1
    assert f"in use by another launcher (process {platform.pid})" in second.said
    assert "DATA_DIR=" in second.said
    assert platform.answers()


def test_a_busy_port_is_told_at_once(platform):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        platform.start(port=port)

        assert platform.exit_code() == 1
    assert f"Port {port} on 127.0.0.1 cannot be used: Address already in use." in platform.said
    assert f"make run PORT={port + 1}" in platform.said
    assert "PostgreSQL" not in platform.said


def test_a_platform_that_cannot_start_says_why_and_ends(platform):
    platform.start(stub="broken")

    assert platform.exit_code() == 1
    assert "web did not become ready: it ended 3 times." in platform.said
    assert "the stub is broken on purpose" in platform.said
    assert platform.processes() == []


@pytest.mark.parametrize("victim", ["http.server", "worker is up", "redis-server"])
def test_what_is_killed_comes_back(platform, victim):
    platform.start()
    platform.wait_ready()
    (before,) = platform.processes(named=victim)

    os.kill(before, signal.SIGKILL)

    def is_back() -> bool:
        now = platform.processes(named=victim)
        return len(now) == 1 and now != [before]

    assert wait_until(is_back, seconds=SECONDS)
    assert wait_until(platform.answers, seconds=SECONDS)


def test_a_killed_database_comes_back_with_what_was_written(platform):
    platform.start(stub="durable")
    platform.wait_ready()
    platform.ask_database("create table kept as select 42 as answer")
    pid_file = platform.server("postgres") / "data" / "postmaster.pid"
    before = int(pid_file.read_text().split()[0])

    os.kill(before, signal.SIGKILL)

    def answer() -> str:
        try:
            return str(platform.ask_database("select answer from kept"))
        except subprocess.CalledProcessError:
            return ""

    assert wait_until(lambda: answer() == "42", seconds=SECONDS, every=0.2)
    assert int(pid_file.read_text().split()[0]) != before


def test_the_sockets_are_closed_to_other_users(platform):
    platform.start()
    platform.wait_ready()

    for server in ("postgres", "redis"):
        home = platform.server(server)
        assert home.stat().st_mode & 0o077 == 0
        assert list((home / "socket").iterdir()) != []
