"""Starting processes that never outlive the launcher, and finding those of a predecessor."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from paysite.launcher.environment import MARK
from paysite.launcher.places import Account, Places
from paysite.launcher.progress import LaunchFailed

PR_SET_PDEATHSIG: Final = 1
LEAVE_SECONDS: Final = 10.0
_libc: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(with_signal: signal.Signals, *, parent: int) -> Callable[[], None]:
    """What a new process does first: ask the kernel for this signal when its parent ends."""

    def prepare() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(with_signal))
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def end_when_make_ends() -> None:
    """`make` is our parent; when it is killed we are told to stop, and stop cleanly."""
    if "MAKELEVEL" in os.environ and _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    output: IO[bytes] | int,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start in a session of its own, so that a terminal's Ctrl-C reaches only the launcher.

    Called from the main thread only: the kernel watches the thread that starts a process.
    """
    return subprocess.Popen(
        list(command),
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        preexec_fn=die_with_parent(death_signal, parent=os.getpid()),
    )


def run_logged(
    command: Sequence[str],
    *,
    what: str,
    places: Places,
    env: Mapping[str, str],
    account: Account | None = None,
    cwd: Path | None = None,
    advice: str = "",
) -> None:
    """Run one command of a step to its end; its output goes to the step log."""
    log = places.logs / "steps.log"
    with log.open("ab") as output:
        since = output.tell()
        output.write(f"\n$ {' '.join(command)}\n".encode())
        output.flush()
        try:
            process = spawn(
                command, env=env, cwd=cwd or places.checkout, output=output, account=account
            )
        except OSError as error:
            raise LaunchFailed(f"{what}: {command[0]}: {error.strerror}", advice=advice) from error
        try:
            code = process.wait()
        except BaseException:
            end_group(process.pid)
            process.wait()
            raise
    if code != 0:
        raise LaunchFailed(f"{what} (exit code {code})", advice=advice, log=log, since=since)


def read_output(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    success: Sequence[int] = (0,),
) -> str | None:
    """What a quick question to a program answers; None when it fails or is not there."""
    try:
        done = subprocess.run(
            list(command),
            env=dict(env) if env is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            text=True,
        )
    except OSError:
        return None
    return done.stdout if done.returncode in success else None


def end_group(leader: int) -> None:
    """Kill what is left of a process we started and all it started in its session."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def all_processes() -> list[int]:
    """Every process that /proc shows; none on a system without it."""
    if _libc is None:
        return []
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def mark_of(pid: int) -> str:
    """Which launch started the process; empty when none of ours did, or it is gone."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    start = f"{MARK}=".encode()
    ours = (each.removeprefix(start) for each in variables if each.startswith(start))
    return os.fsdecode(next(ours, b""))


def works_in(pid: int, folders: Iterable[Path]) -> bool:
    """Whether the process has its working directory in one of these folders."""
    try:
        place = Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return False
    return any(place.is_relative_to(folder) for folder in folders)


def leftovers(places: Places, *, homes: Sequence[Path] = ()) -> list[int]:
    """Processes of this DATA_DIR that a killed launcher left. The caller holds DATA_DIR.

    Servers overwrite their environment with their title; their working directory tells them.
    """
    start = f"{places.data}#"
    return [
        pid
        for pid in all_processes()
        if pid != os.getpid() and (mark_of(pid).startswith(start) or works_in(pid, homes))
    ]


def end_leftovers(places: Places, *, homes: Sequence[Path] = ()) -> int:
    """End them: most are already on their way out, so first wait, then ask, then kill."""
    count = len(leftovers(places, homes=homes))
    for wish in (None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if wish is not None:
            for pid in leftovers(places, homes=homes):
                tell(pid, wish)
        if wait_until(lambda: not leftovers(places, homes=homes), seconds=LEAVE_SECONDS / 2):
            return count
    raise LaunchFailed(
        "Processes of an earlier run do not end: "
        + ", ".join(str(pid) for pid in leftovers(places, homes=homes)),
        advice="End them by hand (they may belong to another user), then try again.",
    )


def tell(pid: int, wish: signal.Signals) -> None:
    """Send a signal to a process that may be gone or not ours."""
    try:
        os.kill(pid, wish)
    except (ProcessLookupError, PermissionError):
        return


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = 0.05) -> bool:
    """Ask until it is true or time is up."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(every)
    return True
