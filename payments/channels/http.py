"""The one HTTP client for calls to gateways: pooled, bounded, and deaf to its environment.

Redirects are not followed and proxy variables are ignored, so that nothing but the channel's own
configuration decides where money messages go.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Final

import httpx

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 10.0
WRITE_SECONDS: Final = 5.0
POOL_SECONDS: Final = 3.0
DEADLINE_SECONDS: Final = 15.0
DOWNLOAD_SECONDS: Final = 600.0
BODY_BYTES_MAX: Final = 1024 * 1024
TRUST: Final = httpx.create_ssl_context(trust_env=False)
"""The authorities we believe. Reading them takes 20 ms, so all channels share what was read."""

_NOTHING_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class NoAnswer(Exception):
    """No complete HTTP answer came. `was_sent` is False only when no byte of the request left."""

    def __init__(self, reason: str, *, was_sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.was_sent = was_sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer as bytes. `headers` keys are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class GatewayHttp:
    """A pooled client for one channel in one process. Safe to share between threads."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        """`transport` lets a test answer in place of the network."""
        self._client = httpx.Client(
            transport=transport,
            verify=TRUST,
            timeout=httpx.Timeout(
                connect=CONNECT_SECONDS, read=READ_SECONDS, write=WRITE_SECONDS, pool=POOL_SECONDS
            ),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=16),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "paysite"},
        )

    def build(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Request:
        """Build a request without sending it, so that exactly what goes out can be signed.

        Sign `request.url.raw_path` and `request.content`, then set headers on `request.headers`.
        """
        return self._client.build_request(
            method, url, params=params, headers=headers, content=content
        )

    def send(self, request: httpx.Request, *, bytes_max: int = BODY_BYTES_MAX) -> Answer:
        """Send and read the whole answer. Raises NoAnswer; an HTTP error status is an answer.

        More than the usual bytes are given more than the usual time.
        """
        seconds = DEADLINE_SECONDS if bytes_max <= BODY_BYTES_MAX else DOWNLOAD_SECONDS
        return self._send(request, None, bytes_max, seconds)

    def download(self, request: httpx.Request, into: IO[bytes], *, bytes_max: int) -> Answer:
        """Send, and write a good answer (200) into a file as it comes; its `body` is then empty.

        The bytes are those of the body: what it was compressed with on the way is undone, what it
        was compressed with before is not. Raises NoAnswer; the file may then hold a part.
        """
        return self._send(request, into, bytes_max, DOWNLOAD_SECONDS)

    def _send(
        self, request: httpx.Request, into: IO[bytes] | None, bytes_max: int, seconds: float
    ) -> Answer:
        deadline = time.monotonic() + seconds
        try:
            response = self._client.send(request, stream=True)
            try:
                is_file = into is not None and response.status_code == HTTPStatus.OK
                sink = into if is_file else None
                body = self._read(response, deadline, sink, bytes_max)
            finally:
                response.close()
        except _NOTHING_SENT as error:
            raise NoAnswer("connect", was_sent=False) from error
        except httpx.TimeoutException as error:
            raise NoAnswer("timeout", was_sent=True) from error
        except httpx.HTTPError as error:
            raise NoAnswer("reset", was_sent=True) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, headers=headers, body=body)

    @staticmethod
    def _read(
        response: httpx.Response, deadline: float, into: IO[bytes] | None, bytes_max: int
    ) -> bytes:
        body, count = bytearray(), 0
        for chunk in response.iter_bytes():
            count += len(chunk)
            if count > bytes_max:
                raise NoAnswer("too_large", was_sent=True)
            if into is None:
                body += chunk
            else:
                into.write(chunk)
            if time.monotonic() > deadline:
                raise NoAnswer("timeout", was_sent=True)
        return bytes(body)
