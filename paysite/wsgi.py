"""The entry point of web processes: people by the full way, machines by the short one."""

import gc
import os
from collections.abc import Callable, Iterable
from typing import Any, Final

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paysite.settings")

people: Final = get_wsgi_application()

from paysite.machine import PATHS, MachineHandler  # noqa: E402 -- needs Django set up

machines: Final = MachineHandler()

NEW_OBJECTS_BEFORE_COLLECTION: Final = 20_000
"""Python's default of 700 searches for circles several times within one request."""


def settle() -> None:
    """Load every address now, and spare what will live for ever from the search for garbage."""
    get_resolver().url_patterns  # noqa: B018 -- reading it imports every view
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_BEFORE_COLLECTION, 20, 50)


settle()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The WSGI application."""
    is_machine = environ["PATH_INFO"].startswith(PATHS)
    answer: Iterable[bytes] = (machines if is_machine else people)(environ, start_response)
    return answer
