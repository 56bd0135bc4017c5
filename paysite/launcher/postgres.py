"""A private PostgreSQL on a socket that only its own account (and root) can reach."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from paysite.launcher.packages import server_programs
from paysite.launcher.places import Account, Places, account_for, home_of, socket_folder
from paysite.launcher.processes import all_processes, read_output, run_logged, works_in
from paysite.launcher.progress import LaunchFailed
from paysite.launcher.supervisor import Service

VERSION_MIN: Final = 15
READY_SECONDS: Final = 120.0
SETTINGS: Final = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "off",
}
NOT_DURABLE: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests only: quicker, and a power cut may eat the cluster."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A cluster of ours: where it lives and who runs it."""

    programs: Path
    home: Path
    socket: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """The cluster itself."""
        return self.home / "data"

    def addresses(self) -> dict[str, str]:
        """For Django, and for PostgreSQL's own programs."""
        return {
            "DATABASE_URL": f"postgres://paysite@/{quote(str(self.socket))}/paysite",
            "PGHOST": str(self.socket),
            "PGUSER": "paysite",
            "PGDATABASE": "paysite",
        }

    def program(self, name: str) -> str:
        """The path of one of PostgreSQL's programs."""
        return str(self.programs / name)


def locate(places: Places) -> Postgres:
    """Find the programs and the folders. Nothing is started."""
    account = account_for("postgres")
    home = home_of("postgres", places, account)
    return Postgres(
        programs=find_programs(home / "data" / "PG_VERSION"),
        home=home,
        socket=socket_folder(home, places, account),
        account=account,
    )


def find_programs(version_file: Path) -> Path:
    """The newest PostgreSQL here, or the one that made the cluster we already have."""
    on_path = shutil.which("postgres")
    found = server_programs("postgres") or ([Path(on_path).resolve()] if on_path else [])
    versions = {program.parent: version_of(program) for program in found}
    usable = [programs for programs, version in versions.items() if version >= VERSION_MIN]
    if not usable:
        raise LaunchFailed(
            f"PostgreSQL {VERSION_MIN} or newer was not found.",
            advice="sudo apt-get install postgresql, or set DATABASE_URL to a server you have.",
        )
    if not version_file.exists():
        return usable[0]
    made_by = int(version_file.read_text().strip())
    fitting = [programs for programs in usable if versions[programs] == made_by]
    if not fitting:
        raise LaunchFailed(
            f"The data in {version_file.parent} was made by PostgreSQL {made_by}, "
            "which is not installed.",
            advice=f"Install postgresql-{made_by}, or move that folder away to start afresh.",
        )
    return fitting[0]


def version_of(program: Path) -> int:
    """The major version that the program tells."""
    answer = read_output([str(program), "--version"]) or ""
    words = re.search(r"\b(\d+)", answer)
    return int(words.group(1)) if words else 0


def initialise(postgres: Postgres, *, places: Places, env: Mapping[str, str]) -> None:
    """Make the cluster once. A half-made one (we were killed) is thrown away first."""
    if postgres.data.exists():
        return
    half_made = postgres.home / "data.new"
    shutil.rmtree(half_made, ignore_errors=True)
    run_logged(
        [
            *(postgres.program("initdb"), "--pgdata", str(half_made), "--username", "postgres"),
            *("--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums"),
        ],
        what="PostgreSQL's data folder could not be made",
        places=places,
        env=env,
        account=postgres.account,
        cwd=postgres.home,
        advice=f"See whether {postgres.home} has room and may be written.",
    )
    half_made.rename(postgres.data)


def service(postgres: Postgres, *, env: Mapping[str, str], durable: bool) -> Service:
    """How to run it. SIGINT is PostgreSQL's fast shutdown: sessions end, nothing is lost."""
    settings = {**SETTINGS, **({} if durable else NOT_DURABLE)}
    settings["unix_socket_directories"] = str(postgres.socket)
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return Service(
        name="postgres",
        command=(postgres.program("postgres"), "-D", str(postgres.data), *options),
        env=without_libpq(env),
        cwd=postgres.home,
        account=postgres.account,
        stop_signal=signal.SIGINT,
        is_server=True,
        before_start=lambda: forget_stale_pid(postgres),
    )


def forget_stale_pid(postgres: Postgres) -> None:
    """After a crash the pid file may name a process that is now somebody else's; PostgreSQL would
    then refuse to start. We hold DATA_DIR and check that no process works in this cluster.
    """
    pid_file = postgres.data / "postmaster.pid"
    running = all_processes()
    if pid_file.exists() and running and not any(works_in(pid, [postgres.data]) for pid in running):
        pid_file.unlink(missing_ok=True)


def without_libpq(env: Mapping[str, str]) -> dict[str, str]:
    """Our own questions must not be bent by the user's PG… variables."""
    return {name: value for name, value in env.items() if not name.startswith("PG")}


def is_ready(postgres: Postgres) -> bool:
    """Whether it answers on its socket."""
    asked = [postgres.program("pg_isready"), "--quiet", "--host", str(postgres.socket)]
    return subprocess.run(asked, check=False, env=without_libpq(os.environ)).returncode == 0


def ensure_database(postgres: Postgres, *, env: Mapping[str, str]) -> None:
    """The platform's own role and database. The role is no superuser."""
    for test, command in (
        (
            "select 1 from pg_roles where rolname = 'paysite'",
            "create role paysite login createdb",
        ),
        (
            "select 1 from pg_database where datname = 'paysite'",
            "create database paysite owner paysite",
        ),
    ):
        if ask(postgres, test, env=env).strip() != "1":
            ask(postgres, command, env=env)


def allow_tampering(postgres: Postgres, *, env: Mapping[str, str]) -> None:
    """Let tests step around triggers: to empty append-only tables, and to play a forger."""
    ask(postgres, "grant set on parameter session_replication_role to paysite", env=env)


def ask(postgres: Postgres, statement: str, *, env: Mapping[str, str]) -> str:
    """Run one statement as the cluster's superuser."""
    command = [postgres.program("psql"), "-h", str(postgres.socket), "-U", "postgres"]
    command += ["-d", "postgres", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement]
    answer = read_output(command, env=without_libpq(env))
    if answer is None:
        raise LaunchFailed(
            f"PostgreSQL refused: {statement}",
            advice="See the log of PostgreSQL in DATA_DIR/logs/postgres.log.",
        )
    return answer
