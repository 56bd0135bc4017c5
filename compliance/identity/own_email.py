"""Another address for one's own letters: asked for with the second factor, confirmed from the new
address, told to the old one with a link that puts it back.

Whoever sits at somebody's open session, phone in hand, cannot keep the account: for three days the
old mailbox takes it back, the address cannot be changed again, and no code comes by e-mail.
Addresses of the staff change by two people only: see `compliance.approvals.email_changes`.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.email_models import EmailChange
from compliance.identity.errors import EmailRefused, LinkOver
from compliance.identity.letters import write_letter
from compliance.identity.links import LASTS, find_link, forget_links, make_link, spend_link
from compliance.identity.models import MailedLink, User
from compliance.identity.people import put_email, send_password_link, themselves
from compliance.identity.sessions import end_other_sessions, end_sessions
from compliance.identity.states import Ending, LinkKind
from compliance.numbers import new_number
from compliance.protection.masking import Kind, masked

RESTS: Final = LASTS[LinkKind.EMAIL_UNDO]
KEPT: Final = timedelta(days=30)


@transaction.atomic
def ask_for_email(*, user: User, email: str, actor: Actor, at: datetime) -> None:
    """Send a link to the new address; nothing changes before it is used.

    The caller has asked for the second factor. Where another account has the address, all is
    the same but that no letter is sent: who has an account here is nobody's business. Raises
    EmailRefused.
    """
    locked = User.objects.select_for_update().get(pk=user.pk)
    _require_may(locked, email, at=at)
    is_taken = User.objects.filter(email__iexact=email).exclude(pk=locked.pk).exists()
    record(
        actor, "person.email_asked", subject=("user", str(locked.pk)),
        facts={"username": locked.username, "taken": is_taken},
        after={"email": masked(email, kind=Kind.EMAIL)}, at=at,
    )  # fmt: skip
    EmailChange.objects.filter(user=locked, changed_at__isnull=True).delete()
    EmailChange.objects.create(
        public_id=new_number("emc_", at=at), user=locked, address_sealed=email, asked_at=at
    )
    link, until = make_link(user=locked, kind=LinkKind.EMAIL, at=at)
    if not is_taken:
        write_letter(locked, "email_confirm", to=email, link=link, until=until, at=at)


@transaction.atomic
def confirm_email(*, user: User, secret: str, session: str, actor: Actor, at: datetime) -> None:
    """The link was used by its person, who is signed in: letters go there from now on, and their
    other sessions end. Raises LinkOver, also for another person's link, or EmailTaken.
    """
    locked = User.objects.select_for_update().get(pk=user.pk)
    link = find_link(secret=secret, kind=LinkKind.EMAIL, at=at)
    change = EmailChange.objects.filter(user=locked, changed_at__isnull=True).first()
    if link is None or link.user_id != locked.pk or change is None:
        raise LinkOver
    if not spend_link(link, at=at):
        raise LinkOver
    try:
        _require_may(locked, change.address_sealed.open(), at=at)
    except EmailRefused as refusal:
        raise LinkOver from refusal  # Somebody was faster, or they are of the staff now.
    before = put_email(user=user, email=change.address_sealed.open(), actor=actor, at=at)
    change.changed_at, change.before_sealed = at, before
    change.save(update_fields=["changed_at", "before_sealed"])
    undo, _until = make_link(user=locked, kind=LinkKind.EMAIL_UNDO, at=at)
    write_letter(user, "email_changed", to=before, when=at, undo=undo, at=at)
    end_other_sessions(user=user, key=session, why=Ending.EMAIL, actor=actor, at=at)


@transaction.atomic
def undo_email(*, secret: str, actor: Actor, at: datetime) -> User:
    """Whoever has the old mailbox puts it back: every session ends, and a link for a new password
    is sent there. Raises LinkOver, or EmailTaken when somebody else has the address meanwhile.
    """
    link = find_link(secret=secret, kind=LinkKind.EMAIL_UNDO, at=at)
    if link is None:
        raise LinkOver
    user = User.objects.select_for_update().get(pk=link.user_id)
    change = _last_change(user, at=at)
    is_mine = change is not None and change.address_sealed.open() == user.email
    if change is None or change.before_sealed is None or not is_mine:
        raise LinkOver
    if not spend_link(link, at=at):
        raise LinkOver
    who = themselves(user, actor)
    put_email(user=user, email=change.before_sealed.open(), actor=who, at=at)
    change.undone_at = at
    change.save(update_fields=["undone_at"])
    EmailChange.objects.filter(user=user, changed_at__isnull=True).delete()
    forget_links(user=user, kinds=[LinkKind.EMAIL_UNDO], at=at)
    end_sessions(user=user, why=Ending.EMAIL, actor=who, at=at)
    record(
        who, "person.email_undone", subject=("user", str(user.pk)),
        facts={"username": user.username}, at=at,
    )  # fmt: skip
    write_letter(user, "email_undone", when=at, at=at)
    send_password_link(user=user, actor=who, at=at)
    return user


def is_new_address(user: User, *, at: datetime) -> bool:
    """Whether the person changed the address so lately that it may still be put back."""
    return _last_change(user, at=at) is not None


def waiting_address(user: User, *, at: datetime) -> str:
    """The address that has yet to be confirmed, masked; "" for none."""
    change = EmailChange.objects.filter(
        user=user, changed_at__isnull=True, asked_at__gt=at - LASTS[LinkKind.EMAIL]
    ).first()
    living = MailedLink.objects.filter(user=user, kind=LinkKind.EMAIL, ended_at__isnull=True)
    if change is None or not living.exists():
        return ""
    return masked(change.address_sealed.open(), kind=Kind.EMAIL)


def forget_old_changes(*, at: datetime) -> int:
    """Delete what is known of changes of weeks ago. Called once an hour."""
    gone, _each = EmailChange.objects.filter(asked_at__lt=at - KEPT).delete()
    return gone


def _require_may(user: User, email: str, *, at: datetime) -> None:
    if user.is_staff or user.is_superuser:
        raise EmailRefused("by_two_people")
    if user.email.casefold() == email.casefold():
        raise EmailRefused("no_change")
    if is_new_address(user, at=at):
        raise EmailRefused("changed_lately")


def _last_change(user: User, *, at: datetime) -> EmailChange | None:
    lately = Q(changed_at__gt=at - RESTS, undone_at__isnull=True)
    return EmailChange.objects.filter(lately, user=user).order_by("-changed_at").first()
