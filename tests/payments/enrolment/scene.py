"""Lin's approved tea shop, and the gateways of the sandbox to which it applies."""

from datetime import datetime
from typing import Any, Final

from compliance.audit.actor import SYSTEM
from compliance.identity.models import User
from merchants.accounts.states import MerchantStatus
from merchants.models import Merchant
from merchants.onboarding.models import Application
from merchants.onboarding.states import ApplicationState
from payments.channels.configuring import configure_channel
from payments.channels.registry import line
from payments.channels.sandbox.keys import credentials_for
from payments.channels.sandbox.models import GatewayName
from payments.enrolment.handing import hand_in
from payments.enrolment.models import Enrolment
from payments.enrolment.opening import answer_extras, open_enrolment
from payments.enrolment.pursuing import claim_due, pursue
from tests.cast import NOON
from tests.channels.conftest import BASE_URL
from tests.channels.enrolling import EXTRAS
from tests.compliance.people import hire
from tests.merchants.applying import actor_of, apply, fill
from tests.merchants.applying import hand_in as submit

CODES: Final = {"wechatpay": "wechat-main", "alipay": "alipay-main", "unionpay": "unionpay-main"}


def connect(gateway: str) -> str:
    """A channel to the sandbox's gateway; its code."""
    address = f"{BASE_URL}/sandbox/{gateway}"
    configure_channel(
        code=CODES[gateway], gateway=gateway, name=str(GatewayName(gateway).label), livemode=False,
        credentials=credentials_for(gateway), base_url=address, front_url=address, actor=SYSTEM,
    )  # fmt: skip
    return CODES[gateway]


def approved() -> Merchant:
    """Lin's shop, taken on with everything in its file."""
    access = apply()
    fill(access)
    submit(access)
    Application.objects.filter(merchant_id=access.merchant_id).update(
        state=ApplicationState.APPROVED, ended_at=NOON
    )
    Merchant.objects.filter(pk=access.merchant_id).update(status=MerchantStatus.ACTIVE)
    return Merchant.objects.get(pk=access.merchant_id)


def desk() -> User:
    """Somebody who looks after merchants."""
    return hire("desk", has_device=False, roles=["operator"]).user


def begin(merchant: Merchant, gateway: str, by: User, *, at: datetime = NOON) -> Enrolment:
    """An enrolment with the gateway's own questions answered."""
    row = open_enrolment(
        merchant=merchant.public_id, channel=CODES[gateway], by=by, actor=actor_of(by), at=at
    )
    if row.is_on_paper:
        return row
    return answer_extras(enrolment=row.public_id, answers=EXTRAS, by=by, actor=actor_of(by), at=at)


def send(row: Enrolment, by: User, *, at: datetime) -> Enrolment:
    """Hand it in, and let the worker come by."""
    hand_in(enrolment=row.public_id, by=by, actor=actor_of(by), at=at)
    return turn(row, at=at)


def turn(row: Enrolment, *, at: datetime) -> Enrolment:
    """The worker comes by when the gateway is due."""
    Enrolment.objects.filter(pk=row.pk, ask_at__isnull=False).update(ask_at=at)
    for one in claim_due(at=at, limit=5):
        pursue(one, at=at)
    return Enrolment.objects.get(pk=row.pk)


def told(row: Enrolment) -> dict[str, str]:
    """What is to be corrected in this round, at our fields."""
    reasons = row.reasons.filter(round=row.round)
    return dict(reasons.values_list("field", "told"))


def gateway_of(gateway: str) -> Any:
    """The connected gateway."""
    return line(CODES[gateway]).gateway
