"""Lin gives money back: in full, in part, twice, too much, and with a second person."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from compliance.approvals.decide import approve, reject
from compliance.approvals.models import Approval
from compliance.audit.actor import SYSTEM, Actor
from compliance.audit.models import AuditEntry
from compliance.identity.models import User
from merchants.access import MerchantAccess, by_member
from merchants.accounts.register import add_member
from merchants.accounts.states import Role
from merchants.errors import AccessRefused
from payments.acquiring.asking import RefundWish
from payments.acquiring.models import Payment, Refund
from payments.acquiring.notifications import receive
from payments.acquiring.pay import IdempotencyKeyReused
from payments.acquiring.queries import PaymentUnknown, get_payment
from payments.acquiring.refund_approving import (
    NeedsColleague,
    NotWaiting,
    give_up_unreleased,
    refuse_refund,
    release_refund,
)
from payments.acquiring.refund_queries import (
    RefundFilter,
    RefundUnknown,
    get_refund,
    list_refunds,
)
from payments.acquiring.refunding import (
    BalanceTooLow,
    MayNotRefund,
    PaymentNotPaid,
    RefundNumberReused,
    RefundTooLarge,
    request_refund,
    request_refund_by_staff,
)
from payments.acquiring.refunds import claim_due, pursue
from payments.acquiring.repeats import claim_key
from payments.callbacks.models import Event
from payments.ledger.balances import balance
from payments.ledger.models import AccountKind
from payments.ledger.posting import credit, debit, post
from payments.money import Money
from tests.cast import NOON, choose, later, open_shop, order
from tests.compliance.people import hire
from tests.scripted import script_of

pytestmark = pytest.mark.django_db


def paid(shop, number: str = "T1", *, amount: int = 12800) -> Payment:
    """An order whose customer has paid."""
    payment = order(shop, number, amount=Money(amount))
    receive(
        channel_code="first", raw=script_of("first").message(choose(payment).number), address=""
    )
    return Payment.objects.get(public_id=payment.id)


def refund(shop, payment: Payment, minor: int = 2800, number: str = "R1", *, at=None, **more):
    wish = RefundWish(
        merchant_refund_no=number, amount_minor=minor, reason=more.pop("reason", "少了一罐")
    )
    return request_refund(
        access=more.pop("access", None) or shop.access, payment=payment.public_id, wish=wish,
        at=at or later(100), **more,
    )  # fmt: skip


def send(seconds: float = 110) -> None:
    """One round of the worker that sends refunds."""
    for one in claim_due(at=later(seconds), limit=10):
        pursue(one, at=later(seconds))


def held(shop) -> tuple[int, int]:
    """What we owe the shop, and what of it is held back."""
    kinds = (AccountKind.MERCHANT_PAYABLE, AccountKind.MERCHANT_RESERVED)
    owner = shop.merchant.public_id
    return tuple(-balance(kind, owner, "CNY", livemode=False).minor for kind in kinds)  # type: ignore[return-value]


def person(shop, name: str, role: Role = Role.FINANCE) -> tuple[User, MerchantAccess]:
    user = hire(name).user
    add_member(merchant_id=shop.merchant.pk, user=user, role=role, actor=SYSTEM, at=NOON)
    return user, by_member(user, None, address="198.51.100.7")


class TestGivingBack:
    """The amount is held back at once, and goes when the gateway says so."""

    def test_a_part_goes_back_and_the_merchant_is_told(self, tea, sound):
        payment = paid(tea)
        made = refund(tea, payment)
        assert (made.is_new, made.refund.status) == (True, "processing")
        assert held(tea) == (10000, 2800)

        send()

        facts = get_refund(tea.access, made.refund.id)
        assert (facts.status, facts.finished_at is not None) == ("succeeded", True)
        assert held(tea) == (10000, 0)
        assert get_payment(tea.access, payment.public_id).amount_refunded == Money(2800)
        told = Event.objects.get(type="refund.succeeded")
        assert (told.subject, told.data["status"], told.data["amount"]) == (
            made.refund.id, "succeeded", 2800,
        )  # fmt: skip
        assert script_of("first").refunds == {made.refund.id.replace("_", ""): Money(2800)}
        sound()

    def test_many_parts_until_nothing_is_left(self, tea, sound):
        payment = paid(tea)
        for number, minor in enumerate((2800, 9999, 1)):
            refund(tea, payment, minor, f"R{number}")
            send(110 + number)
        with pytest.raises(RefundTooLarge) as refusal:
            refund(tea, payment, 1, "R9")
        assert refusal.value.facts == {"left": 0}
        assert get_payment(tea.access, payment.public_id).amount_refunded == Money(12800)
        sound()

    @pytest.mark.parametrize(("minor", "fits"), [(9999, True), (10000, True), (10001, False)])
    def test_what_is_under_way_counts(self, tea, minor, fits):
        payment = paid(tea)
        refund(tea, payment, 2800)
        if fits:
            refund(tea, payment, minor, "R2")
        else:
            with pytest.raises(RefundTooLarge):
                refund(tea, payment, minor, "R2")

    def test_a_failed_refund_gives_the_merchant_its_money_back(self, tea, sound):
        payment = paid(tea)
        script_of("first").faults.append("reject")
        made = refund(tea, payment)
        send()
        assert get_refund(tea.access, made.refund.id).status == "failed"
        assert held(tea) == (12800, 0)
        assert get_payment(tea.access, payment.public_id).amount_refunded == Money(0)
        assert Event.objects.get(type="refund.failed").data["status"] == "failed"
        assert refund(tea, payment, 12800, "R2").is_new
        sound()

    @pytest.mark.parametrize("fault", ["before", "after"])
    def test_a_time_out_is_processing_and_never_doubled(self, tea, fault, sound):
        payment = paid(tea)
        script_of("first").faults.append(fault)
        made = refund(tea, payment)
        send()
        assert get_refund(tea.access, made.refund.id).status == "processing"
        assert held(tea) == (10000, 0)
        send(200)
        assert get_refund(tea.access, made.refund.id).status == "succeeded"
        assert script_of("first").refunds == {made.refund.id.replace("_", ""): Money(2800)}
        sound()


class TestNumbers:
    """A number makes a refund safe to repeat."""

    def test_the_same_again_is_the_same_refund(self, tea):
        payment = paid(tea)
        first, again = refund(tea, payment), refund(tea, payment)
        assert (again.is_new, again.refund) == (False, first.refund)
        assert Refund.objects.count() == 1

    def test_the_same_number_for_something_else_is_refused(self, tea):
        payment, other = paid(tea), paid(tea, "T2")
        refund(tea, payment)
        for deed in (
            lambda: refund(tea, payment, 2801),
            lambda: refund(tea, other),
            lambda: refund(tea, payment, reason="anders"),
        ):
            with pytest.raises(RefundNumberReused):
                deed()

    def test_an_idempotency_key_belongs_to_one_refund(self, tea):
        payment = paid(tea)
        first = refund(tea, payment, idempotency_key="k1")
        again = refund(tea, payment, idempotency_key="k1")
        assert (again.is_new, again.is_replay, again.refund) == (False, True, first.refund)
        with pytest.raises(IdempotencyKeyReused):
            refund(tea, payment, 100, "R2", idempotency_key="k1")
        assert claim_key(tea.access, "k2", asked="x", result="y")

    def test_another_shop_may_use_the_number(self, tea):
        books = open_shop("Yunjian Books")
        refund(tea, paid(tea))
        assert refund(books, paid(books, "B1")).is_new


class TestRefusals:
    """What cannot go back."""

    def test_nothing_of_an_unpaid_order(self, tea):
        payment = Payment.objects.get(public_id=order(tea).id)
        with pytest.raises(PaymentNotPaid):
            refund(tea, payment)

    def test_nothing_of_another_shops(self, tea):
        books = open_shop("Yunjian Books")
        payment = paid(tea)
        with pytest.raises(PaymentUnknown):
            refund(books, payment)
        made = refund(tea, payment)
        with pytest.raises(RefundUnknown):
            get_refund(books.access, made.refund.id)
        assert list_refunds(books.access, RefundFilter(), before=0, limit=5).refunds == []

    def test_not_more_than_the_merchant_has_with_us(self, tea):
        payment = paid(tea)
        owner = tea.merchant.public_id
        post(
            kind="test.paid_out", subject="x", livemode=False, at=NOON,
            entries=[
                debit(AccountKind.MERCHANT_PAYABLE, owner, Money(12000)),
                credit(AccountKind.BANK, "", Money(12000)),
            ],
        )  # fmt: skip
        with pytest.raises(BalanceTooLow) as refusal:
            refund(tea, payment, 801)
        assert refusal.value.facts == {"available": 800}
        assert refund(tea, payment, 800).is_new

    def test_whoever_only_reads(self, tea):
        payment = paid(tea)
        _user, access = person(tea, "reader", Role.READ_ONLY)
        with pytest.raises(AccessRefused) as refusal:
            refund(tea, payment, access=access)
        assert refusal.value.code == "ability_missing"

    @pytest.mark.parametrize(
        "change", [{"refunded_minor": 12801}, {"refunding_minor": -1}, {"refunding_minor": 12801}]
    )
    def test_the_database_says_so_too(self, tea, change):
        payment = paid(tea)
        with pytest.raises(IntegrityError), transaction.atomic():
            Payment.objects.filter(pk=payment.pk).update(**change)


class TestASecondPerson:
    """Above the limit two people, or a program and a person, give money back."""

    @pytest.fixture
    def large(self, tea):
        return paid(tea, amount=500_000)

    def test_a_program_waits_for_a_person(self, tea, large, sound):
        made = refund(tea, large, 100_001)
        assert made.refund.status == "awaiting_approval"
        assert held(tea) == (399_999, 100_001)
        send()
        assert script_of("first").refunds == {}

        user, access = person(tea, "mei")
        released = release_refund(access=access, refund=made.refund.id, by=user, at=later(120))

        assert (released.status, released.released_by) == ("processing", "mei")
        send(130)
        assert get_refund(tea.access, made.refund.id).status == "succeeded"
        assert AuditEntry.objects.filter(action="refund.released").count() == 1
        sound()

    def test_a_person_may_refuse_what_a_program_asked_for(self, tea, large, sound):
        made = refund(tea, large, 100_001)
        _user, access = person(tea, "mei")
        refuse_refund(access=access, refund=made.refund.id, reason="no", at=later(120))
        assert get_refund(tea.access, made.refund.id).status == "rejected"
        assert held(tea) == (500_000, 0)
        with pytest.raises(NotWaiting):
            refuse_refund(access=access, refund=made.refund.id, reason="no", at=later(121))
        sound()

    def test_a_person_waits_for_a_colleague(self, tea, large, sound):
        mei, access = person(tea, "mei")
        lin, _ = person(tea, "lin", Role.OWNER)
        made = refund(tea, large, 100_001, access=access, by=mei)
        assert made.refund.status == "awaiting_approval"
        with pytest.raises(NeedsColleague):
            release_refund(access=access, refund=made.refund.id, by=mei, at=later(110))
        approval = Approval.objects.get(kind="refund.release")

        approve(
            number=approval.public_id, checker=lin, actor=Actor("user", str(lin.pk), "lin", ""),
            at=later(120),
        )  # fmt: skip

        facts = get_refund(tea.access, made.refund.id)
        assert (facts.status, facts.requested_by, facts.released_by) == (
            "processing", "mei", "lin",
        )  # fmt: skip
        sound()

    def test_a_colleague_says_no(self, tea, large, sound):
        mei, access = person(tea, "mei")
        lin, _ = person(tea, "lin", Role.OWNER)
        made = refund(tea, large, 100_001, access=access, by=mei)
        reject(
            number=Approval.objects.get().public_id, reason="wrong customer", checker=lin,
            actor=Actor("user", str(lin.pk), "lin", ""), at=later(120),
        )  # fmt: skip
        assert give_up_unreleased(at=later(130), limit=10) == 1
        assert give_up_unreleased(at=later(131), limit=10) == 0
        assert get_refund(tea.access, made.refund.id).status == "rejected"
        assert held(tea) == (500_000, 0)
        sound()

    def test_a_shop_of_one_person_is_not_locked_out(self, tea, large):
        mei, access = person(tea, "mei", Role.OWNER)
        made = refund(tea, large, 100_001, access=access, by=mei)
        assert made.refund.status == "processing"

    def test_cutting_one_refund_into_small_ones_is_seen(self, tea, large):
        statuses = [refund(tea, large, 30_000, f"R{n}").refund.status for n in range(4)]
        assert statuses == ["processing"] * 3 + ["awaiting_approval"]

    def test_small_refunds_of_many_payments_are_seen_within_a_day(self, tea, settings):
        settings.REFUND_ALONE_DAY_MAX = 5000
        shops = [paid(tea, f"T{n}") for n in range(3)]
        statuses = [refund(tea, one, 2500, f"R{n}").refund.status for n, one in enumerate(shops)]
        assert statuses == ["processing", "processing", "awaiting_approval"]
        next_day = later(100) + timedelta(hours=24, seconds=1)
        assert refund(tea, shops[0], 2500, "R9", at=next_day).refund.status == "processing"

    def test_what_nobody_releases_is_given_up_after_two_days(self, tea, large):
        made = refund(tea, large, 100_001)
        day = timedelta(days=1)
        assert give_up_unreleased(at=later(100) + 2 * day, limit=10) == 0
        assert give_up_unreleased(at=later(101) + 2 * day, limit=10) == 1
        assert get_refund(tea.access, made.refund.id).status == "rejected"


class TestStaff:
    """An operator gives money back for a merchant."""

    def staff(self, name: str, role: str) -> tuple[User, Actor]:
        user = hire(name, roles=[role]).user
        return user, Actor("user", str(user.pk), name, "198.51.100.9", person=user.pk)

    def ask(self, payment: Payment, minor: int, by: User, actor: Actor):
        return request_refund_by_staff(
            payment=payment.public_id, amount_minor=minor, reason="asked by phone", by=by,
            actor=actor, at=later(100),
        )  # fmt: skip

    def test_a_small_one_goes_at_once(self, tea, sound):
        payment = paid(tea)
        facts = self.ask(payment, 2800, *self.staff("gao", "operator"))
        assert (facts.status, facts.requested_by) == ("processing", "gao")
        send()
        assert get_refund(tea.access, facts.id).status == "succeeded"
        sound()

    def test_a_large_one_needs_the_checker(self, tea, sound):
        payment = paid(tea, amount=500_000)
        facts = self.ask(payment, 100_001, *self.staff("gao", "operator"))
        assert facts.status == "awaiting_approval"
        chen, actor = self.staff("chen", "operator_checker")
        approve(number=Approval.objects.get().public_id, checker=chen, actor=actor, at=later(120))
        assert get_refund(tea.access, facts.id).status == "processing"
        sound()

    def test_a_checker_asks_for_none(self, tea):
        with pytest.raises(MayNotRefund):
            self.ask(paid(tea), 2800, *self.staff("chen", "operator_checker"))
