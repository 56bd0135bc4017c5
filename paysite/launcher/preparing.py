"""Steps that `run`, `test` and `bench` share: servers, translations, static files, database."""

import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from paysite.launcher import packages, postgres, redis, virtualenv
from paysite.launcher.environment import is_demo, names
from paysite.launcher.places import Places
from paysite.launcher.processes import end_leftovers, run_logged
from paysite.launcher.progress import LaunchFailed, Progress
from paysite.launcher.supervisor import Supervisor

STATIC_FOLDERS: Final = ("static", "compliance", "merchants", "payments")


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every step needs at hand."""

    places: Places
    progress: Progress
    supervisor: Supervisor
    env: dict[str, str]
    """Of the processes to start; servers add their addresses."""


def install(shop: Workshop, *more: packages.Package, with_dev: bool = False) -> None:
    """System packages and the virtual environment."""
    wanted = list(packages.RUN)
    if not names(shop.env, "DATABASE_URL"):
        wanted.insert(0, packages.POSTGRESQL)
    if not (names(shop.env, "BROKER_URL") and names(shop.env, "CACHE_URL")):
        wanted.insert(0, packages.REDIS)
    wanted += more
    if shop.env.get("RECOGNISER") == "tesseract":
        wanted += packages.RECOGNISER
    with shop.progress.step("System packages") as step:
        word = packages.ensure(wanted, places=shop.places, env=shop.env)
        if word != packages.ALL_THERE and is_demo(shop.env) and not names(shop.env, "RECOGNISER"):
            # Only along with others: nobody without a network waits for it at each start.
            word += "; " + packages.wish(packages.RECOGNISER, places=shop.places, env=shop.env)
        step.note(word)
    with shop.progress.step("Virtual environment") as step:
        step.note(virtualenv.ensure(shop.places, env=shop.env, with_dev=with_dev))


def start_servers(shop: Workshop, *, durable: bool) -> None:
    """PostgreSQL and Redis of our own, where the user has not named others."""
    own_database = not names(shop.env, "DATABASE_URL")
    own_redis = not (names(shop.env, "BROKER_URL") and names(shop.env, "CACHE_URL"))
    database = postgres.locate(shop.places) if own_database else None
    broker = redis.locate(shop.places) if own_redis else None
    homes = [server.home for server in (database, broker) if server is not None]
    if (count := end_leftovers(shop.places, homes=homes)) > 0:
        shop.progress.say(f"     ended {count} processes that an earlier run had left")
    if broker is not None:
        with shop.progress.step("Redis"):
            start_redis(shop, broker)
    if database is not None:
        with shop.progress.step("PostgreSQL") as step:
            step.note("data in " + str(database.data))
            start_postgres(shop, database, durable=durable)


def start_postgres(shop: Workshop, server: postgres.Postgres, *, durable: bool) -> None:
    """Start our cluster, made first when it is new, and put its address into the environment."""
    postgres.initialise(server, places=shop.places, env=shop.env)
    shop.supervisor.start(postgres.service(server, env=shop.env, durable=durable))
    shop.supervisor.wait_for(
        "postgres", lambda: postgres.is_ready(server), seconds=postgres.READY_SECONDS
    )
    postgres.ensure_database(server, env=shop.env)
    if not durable:
        postgres.allow_tampering(server, env=shop.env)
    shop.env.update(server.addresses())


def start_redis(shop: Workshop, server: redis.Redis) -> None:
    """Start our Redis for whichever of broker and cache the user has not named."""
    shop.supervisor.start(redis.service(server, env=shop.env))
    shop.supervisor.wait_for("redis", lambda: redis.is_ready(server), seconds=redis.READY_SECONDS)
    for setting, url in (("BROKER_URL", server.broker_url()), ("CACHE_URL", server.cache_url())):
        if not names(shop.env, setting):
            shop.env[setting] = url


def manage(shop: Workshop, *words: str, what: str, env: Mapping[str, str] | None = None) -> None:
    """Run one management command as a step's work."""
    run_logged(
        [str(shop.places.python), "manage.py", *words],
        what=what,
        places=shop.places,
        env={**shop.env, **(env or {})},
    )


def compile_translations(shop: Workshop) -> None:
    """Make each .mo that is older than its .po. A broken message stops the start."""
    with shop.progress.step("Translations") as step:
        stale = [
            source
            for source in sorted((shop.places.checkout / "locale").glob("*/LC_MESSAGES/*.po"))
            if is_older(source.with_suffix(".mo"), source)
        ]
        for source in stale:
            fresh = source.with_suffix(f".mo.{os.getpid()}")
            run_logged(
                ["msgfmt", "--check-format", "-o", str(fresh), str(source)],
                what=f"{source.relative_to(shop.places.checkout)} does not compile",
                places=shop.places,
                env=shop.env,
            )
            fresh.replace(source.with_suffix(".mo"))
        step.note(f"{len(stale)} compiled" if stale else "up to date")


def is_older(made: Path, source: Path) -> bool:
    """Whether something must be made again."""
    return not made.exists() or made.stat().st_mtime < source.stat().st_mtime


def collect_static(shop: Workshop) -> None:
    """Gather and compress static files, unless none has changed since the last time."""
    with shop.progress.step("Static files") as step:
        stamp = shop.places.data / "static.stamp"
        wanted = static_digest(shop.places)
        manifest = shop.places.data / "static" / "staticfiles.json"
        if manifest.exists() and stamp.exists() and stamp.read_text() == wanted:
            step.note("up to date")
            return
        manage(
            shop, "collectstatic", "--noinput", "--clear", what="Static files were not collected"
        )
        stamp.write_text(wanted)


def static_digest(places: Places) -> str:
    """Changes when any static file of ours or the set of installed packages does."""
    digest = hashlib.sha256((places.checkout / virtualenv.RUN_LOCK).read_bytes())
    for folder in STATIC_FOLDERS:
        for path in sorted((places.checkout / folder).rglob("*")):
            if "static" in path.parts and path.is_file():
                facts = path.stat()
                digest.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def migrate(shop: Workshop) -> None:
    """Bring the database to the code's version."""
    with shop.progress.step("Database"):
        manage(shop, "migrate", "--noinput", what="The database could not be migrated")


def run_shown(shop: Workshop, command: list[str], *, env: Mapping[str, str]) -> int:
    """Run a program whose output is the point; it is ended when we are."""
    process = subprocess.Popen(
        command, env=dict(env), cwd=shop.places.checkout, stdin=subprocess.DEVNULL
    )
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise


def wanted_number(text: str, *, name: str, least: int, most: int) -> int:
    """A number from the environment, or a line that says what is wrong with it."""
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise LaunchFailed(f"{name} must be a number from {least} to {most}, not {text!r}.")
    return int(text)
