"""Merchants register themselves, and open an application."""

from datetime import datetime

from django.db import transaction

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.letters import write_letter
from compliance.identity.models import User
from compliance.identity.people import invite, is_invited, send_invitation
from compliance.numbers import new_number
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.accounts.models import Merchant
from merchants.accounts.register import add_member, register_merchant
from merchants.accounts.states import MerchantStatus, Role
from merchants.onboarding.models import Application
from merchants.onboarding.refusals import NotWritable


@transaction.atomic
def register_applicant(
    *, business: str, display_name: str, email: str, language: str, actor: Actor, at: datetime
) -> None:
    """Take down a business that wants to become a merchant, with its first owner.

    The answer is the same whoever asks: a letter goes to the address. Who has no account gets the
    link to choose a password; who was here before and did not finish gets it again; who has an
    account is told so. The sign-in name is the address.
    """
    known = (
        User.objects.filter(email__iexact=email).first()
        or User.objects.filter(username__iexact=email).first()
    )
    if known is not None:
        if known.is_active and is_invited(known):
            send_invitation(user=known, actor=actor, at=at)
        elif known.is_active:
            write_letter(known, "registered_already", at=at)
        record(actor, "merchant.register_repeated", subject=("user", str(known.pk)), at=at)
        return
    user = invite(
        username=email, display_name=display_name, email=email, language=language, actor=actor,
        at=at,
    )  # fmt: skip
    merchant = register_merchant(name=business, status=MerchantStatus.APPLICANT, actor=actor, at=at)
    add_member(merchant_id=merchant.pk, user=user, role=Role.OWNER, actor=actor, at=at)
    open_application(merchant=merchant, actor=actor, at=at)


@transaction.atomic
def reopen(*, access: MerchantAccess, at: datetime) -> Application:
    """Begin another application after one that is over; an approved merchant needs none.

    Raises AccessRefused or NotWritable.
    """
    require(access, APPLICATION_WRITE)
    merchant = Merchant.objects.get(pk=access.merchant_id)
    if merchant.status != MerchantStatus.APPLICANT:
        raise NotWritable(status=merchant.status)
    return open_application(merchant=merchant, actor=access.actor, at=at)


@transaction.atomic
def open_application(*, merchant: Merchant, actor: Actor, at: datetime) -> Application:
    """Begin an application; the one that is open already, where there is one.

    Called for a merchant that is an applicant. The caller may hold its lock or not.
    """
    locked = Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
    application = Application.objects.filter(merchant=locked, ended_at__isnull=True).first()
    if application is not None:
        return application
    application = Application.objects.create(
        public_id=new_number("apl_", at=at), merchant=locked, created_at=at
    )
    record(
        actor, "application.opened", subject=("application", application.public_id),
        facts={"merchant": locked.public_id}, at=at,
    )  # fmt: skip
    return application
