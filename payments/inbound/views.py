"""Takes the exact bytes of a gateway's notification to the domain, and brings the reply back."""

from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from compliance.identity.address import client_address
from payments.acquiring.notifications import receive
from payments.channels.base import RawMessage
from payments.channels.registry import ChannelUnknown

BODY_BYTES_MAX: Final = 64 * 1024
"""Far more than any gateway sends."""


@csrf_exempt
@require_POST
def notify(request: HttpRequest, channel_code: str) -> HttpResponse:
    """POST /notify/<channel code>/. The signature covers bytes: they are read once, unparsed."""
    try:
        body = _body(request)
    except UnreadablePostError:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    if body is None:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    headers = {name.lower(): value for name, value in request.headers.items()}
    raw = RawMessage(headers=headers, body=body, received_at=timezone.now())
    try:
        reply = receive(channel_code=channel_code, raw=raw, address=client_address(request))
    except ChannelUnknown:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type)


def _body(request: HttpRequest) -> bytes | None:
    """The body; None when it is too long, in which case it is not even read."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isdigit() and int(announced) > BODY_BYTES_MAX:
        return None
    body = request.body
    return body if len(body) <= BODY_BYTES_MAX else None
