"""The one HTTP client for calls to gateways: pooled, bounded, and deaf to its environment.

Redirects are not followed and proxy variables are ignored, so that nothing but the channel's own
configuration decides where money messages go.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 10.0
WRITE_SECONDS: Final = 5.0
POOL_SECONDS: Final = 3.0
DEADLINE_SECONDS: Final = 15.0
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

    def send(self, request: httpx.Request) -> Answer:
        """Send and read the whole answer. Raises NoAnswer; an HTTP error status is an answer."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        try:
            response = self._client.send(request, stream=True)
            try:
                body = self._read(response, deadline)
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
    def _read(response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                raise NoAnswer("too_large", was_sent=True)
            if time.monotonic() > deadline:
                raise NoAnswer("timeout", was_sent=True)
        return bytes(body)
