"""`make test`, `make check` and `make bench`: from a checkout to a verdict."""

import base64
import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from paysite.launcher import packages, preparing
from paysite.launcher.environment import given
from paysite.launcher.packages import Package
from paysite.launcher.places import CHECKOUT
from paysite.launcher.preparing import Workshop, run_shown
from paysite.launcher.processes import run_logged
from paysite.launcher.progress import LaunchFailed
from paysite.launcher.running import free_port, workshop

CODE: Final = ("compliance", "merchants", "payments", "paysite", "tests", "bench", "manage.py")
FAST: Final = "not browser and not process and not slow"


@dataclass(frozen=True, slots=True)
class Judge:
    """Something besides the tests that may find faults."""

    title: str
    ask: Callable[[], None]


def test() -> int:
    """Everything: style, types, contracts, deployment checks, and every test."""
    return with_servers(
        "test",
        lambda shop: verdict(shop, [*code_judges(shop), *deployment_judges(shop)], "-n", "2"),
        packages.TEST,
    )


def check() -> int:
    """What a programmer runs between two edits: no browser, no processes, no new database."""

    def work(shop: Workshop) -> int:
        kept = ["--reuse-db"] if has_seen_migrations(shop) else ["--reuse-db", "--create-db"]
        return verdict(shop, code_judges(shop), "-n", "2", "-q", "-m", FAST, *kept)

    return with_servers("test", work, ())


def has_seen_migrations(shop: Workshop) -> bool:
    """Whether the databases kept from the last check were made by the migrations of now."""
    digest = hashlib.sha256()
    for path in sorted(shop.places.checkout.glob("[a-z]*/**/migrations/*.py")):
        digest.update(path.read_bytes())
    stamp = shop.places.data / "migrations.stamp"
    seen = stamp.exists() and stamp.read_text() == digest.hexdigest()
    stamp.write_text(digest.hexdigest())
    return seen


def bench() -> int:
    """Run the benchmarks on durable servers of their own, set as `make run` sets them."""

    def measure(shop: Workshop) -> int:
        shop.env.setdefault("SANDBOX_URL", f"http://127.0.0.1:{free_port()}")
        preparing.collect_static(shop)
        preparing.migrate(shop)
        return run_shown(shop, [str(shop.places.python), "-m", "bench.run"], env=shop.env)

    return with_servers("bench", measure, packages.BENCH, durable=True)


def with_servers(
    kind: str,
    work: Callable[[Workshop], int],
    needs: Sequence[Package],
    *,
    durable: bool = False,
) -> int:
    """Have the tools and private servers, then do the work."""
    environ = given(CHECKOUT)
    data = Path(environ.get("DATA_DIR", "var")) / kind
    with workshop(environ, data, host="127.0.0.1", port=free_port()) as shop:
        preparing.install(shop, *needs, with_dev=True)
        preparing.start_servers(shop, durable=durable)
        preparing.compile_translations(shop)
        return work(shop)


def verdict(shop: Workshop, judges: Sequence[Judge], *words: str) -> int:
    """Ask every judge, then the tests, so that one run tells all there is to mend. When all is
    well the test runner's own summary is the last thing said.
    """
    failed = []
    for judge in judges:
        try:
            with shop.progress.step(judge.title):
                judge.ask()
        except LaunchFailed as failure:
            shop.progress.explain(failure)
            failed.append(judge.title)
    code = pytest(shop, *words)
    if failed:
        shop.progress.say(f"FAILED besides the tests: {', '.join(failed)} (see above)")
    return code or int(bool(failed))


def code_judges(shop: Workshop) -> list[Judge]:
    """Style, types and import contracts."""
    code = [name for name in CODE if (shop.places.checkout / name).exists()]

    def tool(name: str, *words: str, advice: str = "") -> Callable[[], None]:
        return lambda: run_logged(
            [str(shop.places.venv / "bin" / name), *words],
            what=f"{name} found faults",
            places=shop.places,
            env=shop.env,
            advice=advice,
        )

    mend = "make format mends what can be mended."
    return [
        Judge("Style", tool("ruff", "check", "--output-format", "concise", *code, advice=mend)),
        Judge("Format", tool("ruff", "format", "--check", *code, advice=mend)),
        Judge("Import contracts", tool("lint-imports")),
        Judge("Types", tool("mypy")),
    ]


def deployment_judges(shop: Workshop) -> list[Judge]:
    """Migrations are complete, and a production-like environment passes Django's own checks."""
    production = {
        "DEMO": "false",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_KEYS": f"test1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "ALLOWED_HOSTS": "pay.example.com",
        "BASE_URL": "https://pay.example.com",
        "CACHE_URL": "redis://cache.example.com:6379/0",
        "EMAIL_URL": "smtp+tls://paysite:secret@mail.example.com:587",
    }
    return [
        Judge(
            "Migrations",
            lambda: preparing.manage(
                shop,
                *("makemigrations", "--check", "--dry-run"),
                what="A migration is missing",
                env={"DJANGO_SETTINGS_MODULE": "tests.settings"},
            ),
        ),
        Judge(
            "Deployment checks",
            lambda: preparing.manage(
                shop,
                *("check", "--deploy", "--fail-level", "WARNING"),
                what="A production-like environment fails the checks",
                env=production,
            ),
        ),
    ]


def pytest(shop: Workshop, *words: str) -> int:
    """Run the tests; more words for pytest may stand in PYTEST."""
    shop.progress.say()
    env = {**shop.env, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    env.pop("BASE_URL")
    return run_shown(
        shop,
        [str(shop.places.python), "-m", "pytest", *words, *os.environ.get("PYTEST", "").split()],
        env=env,
    )
