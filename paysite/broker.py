"""What the broker's kind decides: BROKER_URL alone says which one it is."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

CONNECT_SECONDS: Final = 5
VISIBILITY_SECONDS: Final = 2 * 3600
"""Redis hands a message out again that nobody confirmed for so long. Longer than any task may take:
tasks confirm when they end.
"""


def is_redis(url: str) -> bool:
    """Whether a broker is Redis, over whatever wire."""
    return urlsplit(url).scheme.partition("+")[0] in {"redis", "rediss", "sentinel"}


def transport_options(url: str) -> Mapping[str, object]:
    """What Celery tells the broker's client. Only Redis has anything to be told: RabbitMQ knows
    itself which messages nobody confirmed.
    """
    if not is_redis(url):
        return {}
    return {
        "visibility_timeout": VISIBILITY_SECONDS,
        "socket_connect_timeout": CONNECT_SECONDS,
    }


def probe_options(url: str, *, seconds: int) -> Mapping[str, object]:
    """The same for a question whether the broker answers, within so many seconds."""
    if not is_redis(url):
        return {"read_timeout": seconds, "write_timeout": seconds}
    return {"socket_connect_timeout": seconds, "socket_timeout": seconds}
