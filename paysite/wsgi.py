"""The entry point of web processes: people by the full way, machines by the short one."""

import os
from collections.abc import Callable, Iterable
from typing import Any, Final

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paysite.settings")

people: Final = get_wsgi_application()

from paysite.machine import PATHS, MachineHandler  # noqa: E402 -- needs Django set up

machines: Final = MachineHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The WSGI application."""
    is_machine = environ["PATH_INFO"].startswith(PATHS)
    answer: Iterable[bytes] = (machines if is_machine else people)(environ, start_response)
    return answer
