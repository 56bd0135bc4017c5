"""The REST face keeps to its own document, whatever is sent: no fault, and no untold answer."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from payments.acquiring.models import Payment
from paysite.wsgi import application
from tests.cast import order

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
TRIED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_every_call_answers_as_the_document_says(tea, settings):
    settings.LIMITS = {**settings.LIMITS, "api": (1_000_000, 60, "local")}
    order(tea)
    document = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application)
    named = []
    for found in document.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        named.append(operation.label)
        send_anything(operation, tea.api_key)
    assert "POST /api/v1/payments" in named
    assert len(named) >= 8
    assert Payment.objects.count() > 1, "some of what fits the document is accepted"
    assert not Payment.objects.exclude(amount_minor__range=(1, 10_000_000_000)).exists()


def send_anything(operation: Any, key: str) -> None:
    """Calls that fit the document and calls that do not, each held against it."""

    fitting = operation.as_strategy()
    unfit = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @TRIED
    @given(case=fitting | unfit)
    def ask(case: Any) -> None:
        case.call_and_validate(
            headers={"Authorization": f"Bearer {key}", "Host": "127.0.0.1"}, checks=CHECKS
        )

    ask()
