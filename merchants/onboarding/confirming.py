"""A merchant says, section by section, whether what it stated when it was taken on still holds."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction

from compliance.audit.trail import record
from compliance.identity.models import User
from compliance.numbers import new_number
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.accounts.models import Merchant
from merchants.onboarding.models import Application
from merchants.onboarding.sections import sections_for
from merchants.onboarding.states import ApplicationState
from merchants.terms.models import Renewal
from merchants.terms.renewing import RenewalRefused
from merchants.terms.states import RenewalState, TermKind

TOLD_MAX: Final = 1000
"""Characters for one section."""


def sections_to_confirm(merchant_id: int) -> tuple[str, ...]:
    """The sections that a business of this kind was asked for, in their order."""
    entity = (
        Application.objects.filter(merchant_id=merchant_id, state=ApplicationState.APPROVED)
        .order_by("-pk")
        .values_list("entity", flat=True)
        .first()
    )
    return tuple(section.name for section in sections_for(entity or ""))


@transaction.atomic
def confirm_data(
    *, access: MerchantAccess, by: User, term: int, answers: Mapping[str, str], at: datetime
) -> Renewal:
    """Answer for every section: an empty text says that all of it still holds, another one what has
    changed. A reviewer looks at it.

    Raises AccessRefused, or RenewalRefused: term_unknown, waiting_already, or statement_missing
    with the `section` that nothing was said of.
    """
    require(access, APPLICATION_WRITE)
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=access.merchant_id)
    row = merchant.terms.filter(pk=term, replaced_at__isnull=True, kind=TermKind.REVIEW).first()
    if row is None:
        raise RenewalRefused("term_unknown")
    if row.renewals.filter(state=RenewalState.WAITING).exists():
        raise RenewalRefused("waiting_already")
    asked = sections_to_confirm(merchant.pk)
    for section in asked:
        if section not in answers:
            raise RenewalRefused("statement_missing", section=section)
    said = {section: answers[section].strip()[:TOLD_MAX] for section in asked}
    changed = [section for section in asked if said[section]]
    renewal = Renewal.objects.create(
        public_id=new_number("ren_", at=at), term=row, changed=changed,
        statement_sealed=json.dumps(said, ensure_ascii=False), asked_by=by, asked_at=at,
    )  # fmt: skip
    record(
        access.actor, "renewal.confirmed", subject=("merchant", access.merchant),
        facts={"renewal": renewal.public_id, "changed": changed}, at=at,
    )  # fmt: skip
    return renewal
