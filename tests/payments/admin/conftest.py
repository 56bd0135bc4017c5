"""A member of staff, signed in with both factors."""

import pytest
from django.test import Client

from tests.compliance.people import hire


@pytest.fixture
def desk(db, client: Client) -> Client:
    """The browser of somebody who may see everything."""
    hire("wei", is_staff=True, is_superuser=True).sign_in(client)
    return client
