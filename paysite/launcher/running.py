"""`make run`: from a checkout to a working platform, until Ctrl-C."""

import http.client
import json
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from paysite.launcher import preparing
from paysite.launcher.environment import MARK, for_processes, given, is_demo
from paysite.launcher.guardian import Guardian
from paysite.launcher.places import CHECKOUT, Places, alone, open_places
from paysite.launcher.preparing import Workshop, wanted_number
from paysite.launcher.progress import LaunchFailed, Progress
from paysite.launcher.supervisor import Service, Supervisor

WEB_SECONDS: Final = 90.0
WEB_WORKERS: Final = 4
SANDBOX_WORKERS: Final = 2
STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run() -> int:
    """Start everything and stay until told to stop. Leaves no process behind."""
    environ = given(CHECKOUT)
    host = environ.get("HOST", "127.0.0.1")
    port = wanted_number(environ.get("PORT", "8000"), name="PORT", least=1, most=65535)
    with workshop(environ, Path(environ.get("DATA_DIR", "var")), host=host, port=port) as shop:
        check_port(host, port)
        preparing.install(shop)
        preparing.start_servers(shop, durable=True)
        prepare_platform(shop)
        services = platform_services(shop.places, shop.env, host=host, port=port)
        start_platform(shop, services, host=host, port=port)
        announce(shop)
        shop.supervisor.watch()
    return 0


@contextmanager
def workshop(environ: Mapping[str, str], data: Path, *, host: str, port: int) -> Iterator[Workshop]:
    """Hold DATA_DIR. Whatever happens inside, no process of ours is left when this is left."""
    places = open_places(data)
    progress = Progress()
    with alone(places):
        env = for_processes(places, environ, host=host, port=port)
        supervisor = Supervisor(places=places, progress=progress)
        with Guardian(env[MARK]):
            try:
                yield Workshop(places=places, progress=progress, supervisor=supervisor, env=env)
            finally:
                for each in STOPPING:
                    signal.signal(each, lambda *_: supervisor.hurry())
                supervisor.stop()


def check_port(host: str, port: int) -> None:
    """Refuse a port that somebody listens on, before any work is done."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise LaunchFailed(
                f"Port {port} on {host} cannot be used: {error.strerror}.",
                advice=f"Stop what uses it, or choose another: make run PORT={port + 1}",
            ) from error


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prepare_platform(shop: Workshop) -> None:
    """Everything between the servers and the first process."""
    shop.env.setdefault("SANDBOX_URL", f"http://127.0.0.1:{free_port()}")
    preparing.compile_translations(shop)
    preparing.collect_static(shop)
    preparing.migrate(shop)
    if is_demo(shop.env):
        with shop.progress.step("Demo data"):
            preparing.manage(shop, "seed_demo", what="The demo data could not be made")


def platform_services(
    places: Places, env: Mapping[str, str], *, host: str, port: int
) -> list[Service]:
    """The platform's processes, those that people wait for first."""
    worker = celery("worker", "--without-gossip", "--without-mingle")
    commands: dict[str, tuple[str, ...]] = {
        "web": ("-m", *granian(host, port, workers=WEB_WORKERS))
    }
    if is_demo(env):
        sandbox = granian("127.0.0.1", port_of(env["SANDBOX_URL"]), workers=SANDBOX_WORKERS)
        commands["sandbox"] = ("-m", *sandbox)
        commands["notifier"] = ("manage.py", "sandbox_notify")
    commands |= {
        "callbacks": (*worker, "-n", "callbacks@%h", "-Q", "callbacks", "-c", "1"),
        "worker": (*worker, "-n", "worker@%h", "-Q", "celery", "-c", "2"),
        "beat": celery("beat", "-s", str(places.data / "beat-schedule"), "--pidfile", ""),
    }
    return [
        Service(
            name=name,
            command=(str(places.python), *words),
            env=env,
            cwd=places.checkout,
        )
        for name, words in commands.items()
    ]


def celery(verb: str, *words: str) -> tuple[str, ...]:
    """A Celery process. Its warning about root is not ours to repeat: we say it in the docs."""
    return (
        *("-W", "ignore:You're running the worker", "-m", "celery", "-A", "paysite.celery"),
        *("--quiet", verb, "--loglevel", "WARNING", *words),
    )


def granian(host: str, port: int, *, workers: int) -> tuple[str, ...]:
    """The web server as measured: few processes, one thread each for Python and for the network.

    HTTP/2 and TLS are the business of the proxy in front of it.
    """
    return (
        *("granian", "--interface", "wsgi", "--host", host, "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", "1", "--no-ws"),
        *("--http", "1", "--runtime-mode", "st"),
        *("--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "10"),
        *("--log-level", "warning", "--log-config", str(CHECKOUT / "paysite/granian-logs.json")),
        "paysite.wsgi:application",
    )


def start_platform(shop: Workshop, services: list[Service], *, host: str, port: int) -> None:
    """Start all processes. Those that answer requests come first, and we wait until they do: the
    others find their work in the database whenever they come.
    """
    addresses = {"web": (host, port)}
    if "SANDBOX_URL" in shop.env:
        addresses["sandbox"] = ("127.0.0.1", port_of(shop.env["SANDBOX_URL"]))
    with shop.progress.step("Processes") as step:
        check_port(host, port)
        first = [service for service in services if service.name in addresses]
        for service in first:
            shop.supervisor.start(service)
        for service in first:
            serving = partial(is_serving, *addresses[service.name])
            shop.supervisor.wait_for(service.name, serving, seconds=WEB_SECONDS)
        for service in services:
            if service not in first:
                shop.supervisor.start(service)
        step.note(", ".join(service.name for service in services))
    shop.supervisor.is_settled = True


def port_of(url: str) -> int:
    """The port in one of our own addresses."""
    return int(url.rpartition(":")[2])


def is_serving(host: str, port: int) -> bool:
    """Whether /readyz says yes."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "") else host  # noqa: S104 -- compared, not bound
    line = http.client.HTTPConnection("::1" if shown == "::" else shown, port, timeout=2.0)
    try:
        line.request("GET", "/readyz", headers={"Host": "127.0.0.1"})
        return line.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def announce(shop: Workshop) -> None:
    """Print where to go and, in the demo, who may sign in."""
    say = shop.progress.say
    base = shop.env["BASE_URL"].rstrip("/")
    say()
    say(f"Paysite is ready: {base}/")
    for title, path in (
        ("merchant portal", "/portal/"),
        ("administration", "/admin/"),
        ("API documentation", "/api/docs/"),
    ):
        say(f"  {title:20} {base}{path}")
    facts = read_demo(shop.places.data / "demo.json") if is_demo(shop.env) else {}
    if facts:
        say(f"  {'sandbox gateways':20} {base}/sandbox/")
        say(f"Sign-ins of the demo (all of it in {shop.places.data / 'demo.json'}):")
        for role, user in facts.get("users", {}).items():
            if user:
                say(
                    f"  {role:20} {user['username']}  password {user['password']}"
                    f"  TOTP {user.get('totp_secret', '-')}"
                )
        if key := facts.get("merchant", {}).get("api_key"):
            say(f"  {'API key':20} {key}")
    say("Ctrl-C stops everything.")
    say()


def read_demo(path: Path) -> dict[str, Any]:
    """What the demo wrote about itself; empty when it wrote nothing."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
