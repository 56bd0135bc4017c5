"""`make test`, `make check` and `make bench`: from a checkout to a verdict."""

import base64
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from paysite.launcher import packages, preparing
from paysite.launcher.environment import given
from paysite.launcher.packages import Package
from paysite.launcher.places import CHECKOUT
from paysite.launcher.preparing import Workshop, run_shown
from paysite.launcher.processes import run_logged
from paysite.launcher.running import free_port, workshop

CODE: Final = ("compliance", "merchants", "payments", "paysite", "tests", "bench", "manage.py")
FAST: Final = "not browser and not process and not slow"


def test() -> int:
    """Everything: style, types, contracts, deployment checks, and every test."""

    def verdict(shop: Workshop) -> int:
        judge_code(shop)
        judge_deployment(shop)
        return pytest(shop, "-n", "2")

    return with_servers("test", verdict, packages.TEST)


def check() -> int:
    """What a programmer runs between two edits: no browser, no processes."""

    def verdict(shop: Workshop) -> int:
        judge_code(shop)
        return pytest(shop, "-n", "2", "-m", FAST, "-q")

    return with_servers("test", verdict, ())


def bench() -> int:
    """Run the benchmarks on durable servers of their own, set as `make run` sets them."""

    def verdict(shop: Workshop) -> int:
        shop.env.setdefault("SANDBOX_URL", f"http://127.0.0.1:{free_port()}")
        preparing.collect_static(shop)
        preparing.migrate(shop)
        return run_shown(shop, [str(shop.places.python), "-m", "bench.run"], env=shop.env)

    return with_servers("bench", verdict, packages.BENCH, durable=True)


def with_servers(
    kind: str,
    verdict: Callable[[Workshop], int],
    needs: Sequence[Package],
    *,
    durable: bool = False,
) -> int:
    """Have the tools and private servers, then let the verdict be found."""
    environ = given(CHECKOUT)
    data = Path(environ.get("DATA_DIR", "var")) / kind
    with workshop(environ, data, host="127.0.0.1", port=free_port()) as shop:
        preparing.install(shop, *needs, with_dev=True)
        preparing.start_servers(shop, durable=durable)
        preparing.compile_translations(shop)
        return verdict(shop)


def judge_code(shop: Workshop) -> None:
    """Style, types and import contracts; each failure shows what its tool said."""
    code = [name for name in CODE if (shop.places.checkout / name).exists()]
    for title, words in (
        ("Style", ["ruff", "check", *code]),
        ("Format", ["ruff", "format", "--check", *code]),
        ("Import contracts", ["lint-imports"]),
        ("Types", ["mypy"]),
    ):
        with shop.progress.step(title):
            run_logged(
                [str(shop.places.venv / "bin" / words[0]), *words[1:]],
                what=f"{title}: {words[0]} found faults",
                places=shop.places,
                env=shop.env,
                advice="make format mends what can be mended." if words[0] == "ruff" else "",
            )


def judge_deployment(shop: Workshop) -> None:
    """Migrations are complete, and a production-like environment passes Django's own checks."""
    with shop.progress.step("Migrations"):
        preparing.manage(
            shop, "makemigrations", "--check", "--dry-run", what="A migration is missing"
        )
    with shop.progress.step("Deployment checks"):
        preparing.manage(
            shop,
            *("check", "--deploy", "--fail-level", "WARNING"),
            what="A production-like environment fails the checks",
            env={
                "DEMO": "false",
                "SECRET_KEY": secrets.token_urlsafe(50),
                "FIELD_KEYS": f"test1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
                "ALLOWED_HOSTS": "pay.example.com",
                "BASE_URL": "https://pay.example.com",
            },
        )


def pytest(shop: Workshop, *words: str) -> int:
    """The test runner's own summary is the last thing said."""
    shop.progress.say()
    env = {**shop.env, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    env.pop("BASE_URL")
    return run_shown(
        shop,
        [str(shop.places.python), "-m", "pytest", *words, *os.environ.get("PYTEST", "").split()],
        env=env,
    )
