"""The gateways that the sandbox plays, by name."""

from importlib import import_module
from importlib.util import find_spec
from typing import Final

from payments.channels.sandbox.models import GatewayName
from payments.channels.sandbox.speaker import Speaker

_HERE: Final = __name__.rpartition(".")[0]

SPEAKERS: Final[dict[str, Speaker]] = {
    name: import_module(f"{_HERE}.{name}").SPEAKER
    for name in GatewayName.values
    if (spec := find_spec(f"{_HERE}.{name}")) is not None and spec.origin
}
