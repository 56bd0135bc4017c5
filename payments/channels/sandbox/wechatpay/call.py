"""One authenticated request of a merchant's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from payments.channels.sandbox.speaker import Speaker
from payments.channels.sandbox.wechatpay.wire import KeyMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One authenticated request of a merchant's."""

    request: HttpRequest
    speaker: Speaker
    keys: Mapping[str, str]
    mode: KeyMode
    at: datetime

    @property
    def merchant(self) -> str:
        """Whose request it is."""
        return self.keys["mchid"]
