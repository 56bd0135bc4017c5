"""`make bench`: rounds of floor, ours, floor, and the median of their ratios.

The floor for writes is PostgreSQL alone doing the same durable writes statement by statement; for
the checkout page it is an empty answer of the same server. A round whose two floors differ much was
disturbed by other work on the machine and does not count. After the load, rows are counted against
the answers: a fast wrong answer fails the run.
"""

import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from bench import desk, fields, reconciling, sealing  # noqa: E402
from bench import report as report_bench  # noqa: E402
from bench.prepare import fill, prepare, write_notifications, write_pages  # noqa: E402
from payments.acquiring import soundness  # noqa: E402
from payments.ledger import checks  # noqa: E402
from paysite.launcher.running import WEB_WORKERS, granian  # noqa: E402

HERE: Final = Path(__file__).parent
CLIENTS: Final = int(os.environ.get("BENCH_CLIENTS", "32"))
SECONDS: Final = int(os.environ.get("BENCH_SECONDS", "3"))
ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "7"))
ROUNDS_MAX: Final = 3 * ROUNDS
"""However noisy the machine is, the run ends."""
FLOORS_DIFFER_MAX: Final = 0.25
MESSAGES_PER_SECOND: Final = 3000
"""More than can be taken in, so that no message is sent twice in a round."""
PAGES: Final = 200
PAYMENTS: Final = "SELECT count(*) FROM payments_payment WHERE subject = 'Order of tea'"
JOURNALS: Final = "SELECT count(*) FROM payments_journal"
GOALS: Final = {"create": 0.30, "notification": 0.35, "checkout": 0.06}


@dataclass
class Measured:
    """The calm rounds of one subject: floor and ours in requests per second, ours with its tail."""

    floor: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    answered: int = 0
    """All answers, those of disturbed rounds too."""
    disturbed: int = 0

    def is_done(self) -> bool:
        """Whether enough calm rounds are in, or too many were tried."""
        return len(self.ours) >= ROUNDS or len(self.ours) + self.disturbed >= ROUNDS_MAX

    def ratio(self) -> float:
        """The median over the rounds of ours to the floor of the same round."""
        return statistics.median(o / f for o, f in zip(self.ours, self.floor, strict=True))

    def note(self, before: float, load: "Load", after: float) -> None:
        """Keep a round if it was calm; any failed answer ends the run."""
        if load.failed:
            raise SystemExit(f"bench: {load.failed} of {load.answered} answers failed.")
        self.answered += load.answered
        if max(before, after) / min(before, after) - 1 > FLOORS_DIFFER_MAX:
            self.disturbed += 1
            return
        self.floor.append((before + after) / 2)
        self.ours.append(load.rps)
        self.p50_ms.append(load.p50_ms)
        self.p99_ms.append(load.p99_ms)


@dataclass(frozen=True)
class Load:
    """One burst of wrk."""

    rps: float
    p50_ms: float
    p99_ms: float
    answered: int
    failed: int


def database_url() -> str:
    """The scratch database, as PostgreSQL's own programs want it."""
    one = connection.settings_dict
    user = quote(str(one["USER"])) + (f":{quote(str(one['PASSWORD']))}" if one["PASSWORD"] else "")
    host = quote(str(one["HOST"]), safe="")
    port = f":{one['PORT']}" if one["PORT"] else ""
    return f"postgresql://{user}@{host}{port}/{one['NAME']}"


def floor(name: str, *variables: str) -> float:
    """Transactions per second of one pgbench script, prepared, with as many clients as ours has."""
    done = subprocess.run(
        ["pgbench", "-n", "-M", "prepared", "-f", str(HERE / "floor" / f"{name}.sql"),
         *variables, "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS), database_url()],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(re.search(r"tps = ([0-9.]+)", done.stdout)[1])  # type: ignore[index]


def make_floor() -> None:
    """The floor's own plain tables, made anew."""
    subprocess.run(
        ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(HERE / "floor" / "schema.sql"),
         database_url()],
        check=True, env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"},
    )  # fmt: skip


def rows_of_floor() -> int:
    """How many payments the floor has made, for its notifications to choose from."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM floor.payment")
        return int(cursor.fetchone()[0])


def wrk(base: str, script: str, *words: str, seconds: int = SECONDS) -> Load:
    """Load one address; failures are answers outside 2xx and 3xx, and broken connections."""
    done = subprocess.run(
        ["wrk", "-t", "2", "-c", str(CLIENTS), "-d", f"{seconds}s", "--latency", "-s",
         str(HERE / f"{script}.lua"), base, "--", *words],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = done.stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+)", told)
    return Load(
        rps=float(re.search(r"Requests/sec:\s+([0-9.]+)", told)[1]),  # type: ignore[index]
        p50_ms=_milliseconds(told, "50%"),
        p99_ms=_milliseconds(told, "99%"),
        answered=int(re.search(r"(\d+) requests in", told)[1]),  # type: ignore[index]
        failed=(int(bad[1]) if bad else 0) + (sum(map(int, broken.groups())) if broken else 0),
    )


def _milliseconds(told: str, line: str) -> float:
    number, unit = re.search(rf"{line}\s+([0-9.]+)(us|ms|s)", told).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


@contextmanager
def web() -> Iterator[str]:
    """The server that `make run` uses, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", *granian("127.0.0.1", port, workers=WEB_WORKERS)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    base = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(base, server)
        yield base
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=20)


def wait_until_ready(base: str, server: subprocess.Popen[bytes]) -> None:
    """Until /readyz says yes; raises when the server ends or a minute passes."""
    for _ in range(600):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{base}/readyz", timeout=2):  # noqa: S310 -- loopback
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("bench: the web server did not start.")


def count(sql: str) -> int:
    """One number from the database."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])


def require_rows(before: int, answered: int, what: str, sql: str) -> None:
    """Every answered request left its row. Requests cut off at the end of a round may leave
    more.
    """
    made = count(sql) - before
    if not answered <= made <= answered + CLIENTS * ROUNDS_MAX:
        raise SystemExit(f"bench: {answered} answers, but {made} new {what}.")
    sys.stdout.write(f"  {answered} answers, {made} {what}\n")


def main() -> None:
    """Measure, print, and end with an error when a goal is missed or a row is missing."""
    ready = prepare()
    make_floor()
    results = {"create": Measured(), "notification": Measured(), "checkout": Measured()}
    with tempfile.TemporaryDirectory() as folder, web() as base:
        place = Path(folder)
        write_pages(fill(ready, count=PAGES), place / "pages")
        (place / "empty").write_text("/healthz\n")
        (place / "keys").write_text("\n".join(ready.api_keys) + "\n")
        warm_up(base, place)
        created = count(PAYMENTS)
        booked = count(JOURNALS)
        filled = 0
        create, notification, checkout = results.values()
        for number in range(1, ROUNDS_MAX + 1):
            if all(one.is_done() for one in results.values()):
                break
            sys.stdout.write(f"round {number}\n")
            sys.stdout.flush()
            if not create.is_done():
                before = floor("create")
                load = wrk(base, "create", str(place / "keys"), f"r{number}-{os.getpid()}")
                create.note(before, load, floor("create"))
            if not notification.is_done():
                messages = fill(ready, count=MESSAGES_PER_SECOND * SECONDS)
                filled += len(messages)
                write_notifications(messages, place / "messages")
                rows = f"n={rows_of_floor()}"
                before = floor("notify", "-D", rows)
                load = wrk(base, "notify", str(place / "messages"))
                notification.note(before, load, floor("notify", "-D", rows))
            if not checkout.is_done():
                before = wrk(base, "pages", str(place / "empty")).rps
                load = wrk(base, "pages", str(place / "pages"))
                checkout.note(before, load, wrk(base, "pages", str(place / "empty")).rps)
    require_rows(created + filled, results["create"].answered, "payments", PAYMENTS)
    require_rows(booked, results["notification"].answered, "journals", JOURNALS)
    broken = [*checks.breaks(), *soundness.breaks()]
    if broken:
        raise SystemExit(f"bench: the books do not hold: {broken[:3]}")
    report(results)


def warm_up(base: str, place: Path) -> None:
    """Let every worker connect, prepare its statements and parse its keys."""
    wrk(base, "create", str(place / "keys"), f"w-{os.getpid()}", seconds=2)
    wrk(base, "pages", str(place / "pages"), seconds=2)


def report(results: dict[str, Measured]) -> None:
    """The table, and the verdict on the goals."""
    write = sys.stdout.write
    write(f"\n{CLIENTS} connections, rounds of {SECONDS} s, medians of the calm ones\n")
    write(
        f"{'':14}{'floor/s':>10}{'ours/s':>10}{'ratio':>8}{'goal':>7}{'p50 ms':>9}{'p99 ms':>9}\n"
    )
    missed = []
    for name, one in results.items():
        if not one.ours:
            raise SystemExit(f"bench: every round of {name} was disturbed; measure again later.")
        ratio, goal = one.ratio(), GOALS[name]
        write(
            f"{name:14}{statistics.median(one.floor):>10.0f}{statistics.median(one.ours):>10.0f}"
            f"{ratio:>8.3f}{goal:>7.2f}{statistics.median(one.p50_ms):>9.1f}"
            f"{statistics.median(one.p99_ms):>9.1f}\n"
        )
        write(f"{'':14}{len(one.ours)} calm rounds, {one.disturbed} disturbed\n")
        if ratio < goal:
            missed.append(name)
    parts = {
        "sealing": sealing, "report": report_bench, "encryption": fields, "desk": desk,
        "reconciling": reconciling,
    }  # fmt: skip
    missed += [name for name, part in parts.items() if not part.measure()]
    out = settings.DATA_DIR / "bench.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({name: vars(one) for name, one in results.items()}))
    if missed:
        raise SystemExit(f"bench: below the goal: {', '.join(missed)}")


if __name__ == "__main__":
    main()
