"""What pages tell browsers beyond what Django and the content security policy say."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponseBase

REFUSED: Final = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation",
    "gyroscope", "magnetometer", "microphone", "midi", "payment", "screen-wake-lock", "usb",
    "xr-spatial-tracking",
)  # fmt: skip
"""No page of ours asks for any of these; photographs of documents come as files."""
POLICY: Final = ", ".join(f"{name}=()" for name in REFUSED)


def nothing_of_the_device(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: no script, ours or injected, gets at camera, place or payment sheets."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", POLICY)
        return response

    return answer
