"""Which papers an application needs, from what it says. Nothing here looks at a database."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from merchants.onboarding.categories import CATEGORIES
from merchants.onboarding.sections import Reading, first_row

FILES_MAX: Final = 10
"""Of one kind; an eleventh is refused."""

LICENCE: Final = "licence"
IDENTITY_FRONT: Final = "identity_front"
IDENTITY_BACK: Final = "identity_back"
ACCOUNT_PROOF: Final = "account_proof"
PREMISES: Final = "premises"
OWNERS_IDENTITY: Final = "owners_identity"
CHARTER: Final = "charter"
PERMIT: Final = "permit"
AUTHORISATION: Final = "authorisation"
OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class DocumentNeed:
    """A kind of paper. `has_term`: it says until when it is good, and that is typed beside it."""

    kind: str
    is_required: bool = True
    has_term: bool = False
    which: str = ""
    """Which one of the kind: a permit by `Category.permit`, else what the application says of the
    account or the place of business. Empty: any, or not known yet.
    """


def documents_needed(entity: str, read: Mapping[str, Reading]) -> tuple[DocumentNeed, ...]:
    """The papers for such a business, in the order of the page.

    The terms of the licence and of the identity card are typed in their sections. What is not
    decided yet asks for nothing: the list grows while sections are filled in.
    """
    business, contact = first_row(read, "business"), first_row(read, "entity")
    account = first_row(read, "account")
    category = CATEGORIES.get(str(business.get("category", "")))
    needs = [
        DocumentNeed(LICENCE),
        DocumentNeed(IDENTITY_FRONT),
        DocumentNeed(IDENTITY_BACK),
        DocumentNeed(ACCOUNT_PROOF, which=str(account.get("kind", ""))),
        DocumentNeed(PREMISES, which=str(business.get("place", ""))),
    ]
    if entity == "enterprise":
        needs.append(DocumentNeed(OWNERS_IDENTITY))
    if entity == "institution":
        needs.append(DocumentNeed(CHARTER))
    if category is not None and category.permit:
        needs.append(DocumentNeed(PERMIT, has_term=True, which=category.permit))
    if contact.get("contact_role") == "authorised":
        needs.append(DocumentNeed(AUTHORISATION))
    needs.append(DocumentNeed(OTHER, is_required=False))
    return tuple(needs)
