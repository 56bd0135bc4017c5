"""Handing an application in, and taking it back."""

from datetime import datetime

from django.db import IntegrityError, transaction

from compliance.audit.trail import record
from compliance.identity.models import User
from merchants.access import MerchantAccess, require
from merchants.accounts.abilities import APPLICATION_WRITE
from merchants.accounts.models import Merchant
from merchants.accounts.states import MerchantStatus
from merchants.days import day_of
from merchants.onboarding.agreement import CURRENT, agreement_text, digest_of
from merchants.onboarding.drafting import lock_application
from merchants.onboarding.models import Application
from merchants.onboarding.reading import Standing, standing_of
from merchants.onboarding.refusals import AgreementChanged, CodeTaken, Incomplete, NotWritable
from merchants.onboarding.risk import grade_application
from merchants.onboarding.screened import screen_application
from merchants.onboarding.states import WRITABLE, ApplicationState


@transaction.atomic
def submit(
    *, access: MerchantAccess, by: User, agreement: str, language: str, at: datetime
) -> Application:
    """Hand the application in with the agreement to the terms that were shown.

    Raises AccessRefused, ApplicationNotFound, NotWritable, Incomplete (with every fault),
    AgreementChanged, or CodeTaken.
    """
    application = lock_application(access)
    if application.state not in WRITABLE:
        raise NotWritable(state=str(application.state))
    standing = standing_of(application, on=day_of(at))
    if standing.faults:
        raise Incomplete(standing.faults)
    if agreement != CURRENT:
        raise AgreementChanged(version=CURRENT)
    before = application.state
    _hand_in(application, standing, at=at)
    screen_application(application, standing, actor=access.actor, at=at)
    grade_application(application, standing, actor=access.actor, at=at)
    application.consents.create(
        round=application.round, version=CURRENT, language=language,
        sha256=digest_of(agreement_text(CURRENT, language)), by=by, address=access.actor.address,
        agent=access.actor.agent, at=at,
    )  # fmt: skip
    _move_merchant(application, MerchantStatus.IN_REVIEW, at=at)
    record(
        access.actor, "application.submitted", subject=("application", application.public_id),
        facts={"round": application.round, "agreement": CURRENT},
        before={"state": str(before)}, after={"state": str(application.state)}, at=at,
    )  # fmt: skip
    return application


def latest_application(access: MerchantAccess) -> Application | None:
    """The merchant's last application, over or not. Raises AccessRefused."""
    require(access, APPLICATION_WRITE)
    return Application.objects.filter(merchant_id=access.merchant_id).order_by("-pk").first()


@transaction.atomic
def withdraw(*, access: MerchantAccess, reason: str, at: datetime) -> Application:
    """Give up an application that is not with the reviewers. Another can be opened afterwards.

    Raises AccessRefused, ApplicationNotFound, or IllegalMove.
    """
    application = lock_application(access)
    before = application.state
    application.move(ApplicationState.WITHDRAWN, at=at)
    record(
        access.actor, "application.withdrawn", subject=("application", application.public_id),
        before={"state": str(before)}, after={"state": str(application.state)}, reason=reason,
        at=at,
    )  # fmt: skip
    return application


def _hand_in(application: Application, standing: Standing, *, at: datetime) -> None:
    """Move it, with what the queue and other applications are compared with."""
    licence = standing.read["licence"].rows[0]
    try:
        with transaction.atomic():
            application.move(
                ApplicationState.IN_REVIEW, at=at, entity=standing.entity,
                name=str(licence["name"]), credit_code=str(licence["credit_code"]),
                round=application.round + 1, submitted_at=at,
            )  # fmt: skip
    except IntegrityError as error:
        if "application_credit_code_once" not in str(error):
            raise
        raise CodeTaken from None


def _move_merchant(application: Application, to: MerchantStatus, *, at: datetime) -> None:
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=application.merchant_id)
    if merchant.status != to:
        merchant.move(to, at=at)
