"""What every template may know about the platform."""

from django.conf import settings
from django.http import HttpRequest


def platform(request: HttpRequest) -> dict[str, object]:
    """Values for page frames: whether this is a demo, and the product's name."""
    return {"is_demo": settings.DEMO, "platform_name": "Paysite"}
