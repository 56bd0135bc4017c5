"""Where a request really comes from."""

import unicodedata
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.http import HttpRequest

AGENT_CHARACTERS_MAX: Final = 200


def client_address(request: HttpRequest) -> str:
    """The caller's address, or "" when it cannot be told.

    X-Forwarded-For counts only as far as our own proxies wrote it: the last TRUSTED_PROXIES parts.
    """
    count: int = settings.TRUSTED_PROXIES
    address = request.META.get("REMOTE_ADDR", "")
    if count:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        address = hops[-count] if len(hops) >= count else ""
    try:
        return str(ip_address(address))
    except ValueError:
        return ""


_PROGRAMS: Final = (
    ("MicroMessenger", "WeChat"), ("AlipayClient", "Alipay"), ("Edg", "Edge"), ("OPR/", "Opera"),
    ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("HarmonyOS", "HarmonyOS"), ("Android", "Android"),
    ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def short_agent(agent: str) -> str:
    """A browser's name and system, such as "Chrome, Windows"; the whole text for a strange one."""
    program = next((name for mark, name in _PROGRAMS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return ", ".join(filter(None, (program, system))) or agent


def agent_of(request: HttpRequest) -> str:
    """What the caller's program calls itself, on one line and short: anybody may write anything."""
    told: str = request.META.get("HTTP_USER_AGENT", "")[:AGENT_CHARACTERS_MAX]
    if told.isprintable():
        return told
    return "".join(" " if unicodedata.category(sign).startswith("C") else sign for sign in told)
