"""Which of an application's fields are masked for whoever is not the applicant."""

from collections.abc import Mapping
from typing import Final

from compliance.protection.masking import Kind

KIND_OF: Final[Mapping[str, Kind]] = {
    "identity_number": Kind.IDENTITY_NUMBER,
    "account_number": Kind.ACCOUNT,
    "card_number": Kind.ACCOUNT,
    "mobile": Kind.PHONE,
    "contact_mobile": Kind.PHONE,
}
"""By the field's name. A test holds that every secret field is here."""
