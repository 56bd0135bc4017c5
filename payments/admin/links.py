"""Links between these pages."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from payments.acquiring.models import Payment
from payments.callbacks.models import Endpoint


def payment_link(payment: Payment) -> SafeString:
    """A payment's number, leading to its page."""
    return _link("payment", str(payment.pk), payment.public_id)


def endpoint_link(endpoint: Endpoint) -> SafeString:
    """An endpoint's label, leading to its page."""
    return _link("endpoint", str(endpoint.pk), endpoint.label)


def subject_link(number: str) -> SafeString:
    """A payment's or refund's number, as books and events name it, leading to its page."""
    names = {"pay_": "payment", "ref_": "refund", "att": "attempt", "ept_": "endpoint"}
    for prefix, name in names.items():
        if number.startswith(prefix):
            return _link(name, number, number)
    return format_html('<span class="mono">{}</span>', number)


def _link(model: str, key: str, text: str) -> SafeString:
    address = reverse(f"admin:payments_{model}_change", args=[key])
    return format_html('<a class="mono" href="{}">{}</a>', address, text)
