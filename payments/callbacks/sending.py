"""Sends many callbacks at once from one thread of its own. Knows HTTP, knows no rows.

A slow merchant holds only its own request: nothing waits for a batch to be complete.
"""

import asyncio
import logging
import queue
import socket
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from payments.callbacks.rules import is_allowed_address

log: Final = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 15
BODY_SECONDS: Final = 1
"""The status counts; for the beginning of a body that drips nobody waits longer."""
ANSWER_BYTES: Final = 256
WAIT_CHARACTERS_MAX: Final = 64
NAME_THREADS: Final = 256
"""A look-up holds a thread for longer than its request may take: more than enough for all places,
so that a merchant whose name server is silent delays nobody else.
"""


@dataclass(frozen=True, slots=True)
class Errand:
    """One request to make. `ref` comes back with the result."""

    ref: int
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an errand: a status, or the reason why there is none."""

    ref: int
    status: int | None
    error: str
    duration_ms: int
    answer: str
    wait: str = ""
    """The answer's `Retry-After`."""


class AddressRefused(OSError):
    """The name resolves to an address that callbacks may not reach."""


class GuardedResolver(AbstractResolver):
    """Resolves, checks, and pins: the connection is made to exactly the addresses that were
    checked.
    """

    def __init__(self, *, loopback: bool) -> None:
        self._inner = ThreadedResolver()
        self._loopback = loopback

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """All addresses of the host. One forbidden address forbids the host."""
        found = await self._inner.resolve(host, port, family)
        if not all(is_allowed_address(a["host"], loopback=self._loopback) for a in found):
            raise AddressRefused(host)
        return found

    async def close(self) -> None:
        """Nothing is held."""
        await self._inner.close()


class Sender:
    """A thread with an event loop. Use it in a `with` block; leaving it waits for open requests."""

    def __init__(self, *, plain_http: bool, loopback: bool) -> None:
        """`plain_http` and `loopback` are allowed in demo mode only."""
        self._plain_http, self._loopback = plain_http, loopback
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(NAME_THREADS))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._done: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._session: aiohttp.ClientSession | None = None
        self.in_flight = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            asyncio.run_coroutine_threadsafe(self._session.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                resolver=GuardedResolver(loopback=self._loopback),
                use_dns_cache=False,
                socket_factory=self._socket,
            ),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
        )

    def _socket(self, found: tuple[Any, ...]) -> socket.socket:
        """The socket for a connection. This is the last look at the address, whatever was written
        in the URL: a literal one never reaches the resolver.
        """
        family, kind, protocol, _, address = found
        if not is_allowed_address(address[0], loopback=self._loopback):
            raise AddressRefused(address[0])
        return socket.socket(family, kind, protocol)

    def submit(self, errand: Errand) -> None:
        """Start a request; its result comes from `results`."""
        self.in_flight += 1
        asyncio.run_coroutine_threadsafe(self._run(errand), self._loop)

    def results(self, *, wait_seconds: float) -> list[Result]:
        """Results that are ready; waits for the first one when something is in flight."""
        found: list[Result] = []
        try:
            found.append(self._done.get(timeout=wait_seconds))
            while True:
                found.append(self._done.get_nowait())
        except queue.Empty:
            pass
        self.in_flight -= len(found)
        return found

    async def _run(self, errand: Errand) -> None:
        started = time.monotonic()
        status, error, answer, wait = None, "", "", ""
        try:
            status, answer, wait = await self._post(errand)
        except (AddressRefused, aiohttp.InvalidURL):
            error = "address_refused"
        except TimeoutError:
            error = "timeout"
        except aiohttp.ClientConnectorError as problem:
            refused = isinstance(problem.os_error, AddressRefused)
            error = "address_refused" if refused else "connect"
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            error = type(problem).__name__[:64]
        except Exception as problem:
            # Nobody would wait for a result that never comes, but for ever.
            log.exception("callback request failed in an unforeseen way")
            error = type(problem).__name__[:64]
        took = int((time.monotonic() - started) * 1000)
        self._done.put(Result(errand.ref, status, error, took, answer, wait))

    async def _post(self, errand: Errand) -> tuple[int, str, str]:
        parts = urlsplit(errand.url)
        if parts.scheme not in ({"https", "http"} if self._plain_http else {"https"}):
            raise AddressRefused(errand.url)
        if self._session is None:
            raise RuntimeError("Sender is used outside its with block")
        async with self._session.post(
            errand.url, data=errand.body, headers=errand.headers, allow_redirects=False
        ) as response:
            wait = response.headers.get("retry-after", "")[:WAIT_CHARACTERS_MAX]
            return response.status, await _beginning(response), wait


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """The first bytes of an answer, as far as they come at once."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = await response.content.read(ANSWER_BYTES)
    except (TimeoutError, aiohttp.ClientError):
        return ""
    return raw.decode(errors="replace").replace("\x00", "")
