"""People come by invitation, and choose and change their passwords themselves."""

from datetime import datetime

from axes.utils import reset
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import QuerySet

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.devices import has_device
from compliance.identity.errors import EmailTaken, LinkOver
from compliance.identity.letters import write_letter
from compliance.identity.links import find_link, forget_links, make_link, spend_link
from compliance.identity.models import MailedLink, User
from compliance.identity.roles import role_names
from compliance.identity.sessions import end_other_sessions, end_sessions
from compliance.identity.states import Ending, LinkKind
from compliance.protection.masking import Kind, masked


@transaction.atomic
def invite(
    *, username: str, display_name: str, email: str, actor: Actor, at: datetime,
    person_ref: str = "", language: str = "",
) -> User:  # fmt: skip
    """Open an account for somebody, who chooses the password behind a link in a letter.

    The account can do nothing yet: approvals give roles, a merchant's owner a place in the team.
    """
    user = User(
        username=username, display_name=display_name, email=email, person_ref=person_ref,
        language=language,
    )  # fmt: skip
    user.set_unusable_password()
    user.save()
    facts = {"username": username}
    record(actor, "person.added", subject=("user", str(user.pk)), facts=facts, at=at)
    send_invitation(user=user, actor=actor, at=at)
    return user


@transaction.atomic
def send_invitation(*, user: User, actor: Actor, at: datetime) -> None:
    """Send the letter with the link, perhaps again: only the last one opens anything."""
    address, until = make_link(user=user, kind=LinkKind.INVITATION, at=at)
    write_letter(user, "invitation", link=address, until=until, at=at)
    record(
        actor, "person.invited", subject=("user", str(user.pk)),
        facts={"username": user.username}, at=at,
    )  # fmt: skip


@transaction.atomic
def take_invitation_back(*, user: User, actor: Actor, at: datetime) -> None:
    """Make the link in the letter useless of somebody who has not accepted it yet."""
    forget_links(user=user, at=at)
    record(
        actor, "person.invitation_taken_back", subject=("user", str(user.pk)),
        facts={"username": user.username}, at=at,
    )  # fmt: skip


def joined(users: QuerySet[User]) -> QuerySet[User]:
    """Those who have accepted their invitation."""
    return users.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)


def is_invited(user: User) -> bool:
    """Whether the person has yet to choose a password."""
    return not user.has_usable_password()


def ask_for_password_link(*, email: str, actor: Actor, at: datetime) -> None:
    """Send a link for a new password, if somebody has this address; the caller is told nothing.

    Whoever has not accepted an invitation gets it again.
    """
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    if user is not None:
        send_password_link(user=user, actor=actor, at=at)


@transaction.atomic
def send_password_link(*, user: User, actor: Actor, at: datetime) -> None:
    """Send a link for a new password. The second factor stays what it is."""
    if is_invited(user):
        send_invitation(user=user, actor=actor, at=at)
        return
    address, until = make_link(user=user, kind=LinkKind.PASSWORD, at=at)
    write_letter(user, "password", link=address, until=until, at=at)
    record(
        actor, "person.password_link_sent", subject=("user", str(user.pk)),
        facts={"username": user.username}, at=at,
    )  # fmt: skip


@transaction.atomic
def ask_for_signin_link(*, email: str, browser: str, actor: Actor, at: datetime) -> None:
    """Send a link that stands for the password, in this browser only; the caller is told nothing.

    The second factor is asked for behind it as always.
    """
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    if user is None or is_invited(user) or not has_device(user):
        return
    address, until = make_link(user=user, kind=LinkKind.SIGN_IN, at=at, browser=browser)
    write_letter(user, "signin", link=address, until=until, at=at)
    record(
        actor, "signin.link_sent", subject=("user", str(user.pk)),
        facts={"username": user.username}, at=at,
    )  # fmt: skip


@transaction.atomic
def take_signin_link(*, secret: str, browser: str, actor: Actor, at: datetime) -> User:
    """The person whom the link stands for; the second factor is still to come. Raises LinkOver."""
    link = find_link(secret=secret, kind=LinkKind.SIGN_IN, browser=browser, at=at)
    if link is None or not spend_link(link, at=at):
        raise LinkOver
    user = link.user
    who = themselves(user, actor)
    facts = {"username": user.username}
    record(who, "signin.link_used", subject=("user", str(user.pk)), facts=facts, at=at)
    return user


@transaction.atomic
def choose_password(
    *, secret: str, kind: LinkKind, password: str, actor: Actor, at: datetime
) -> User:
    """Set the password that somebody chose behind a link; every session of theirs ends.

    Raises LinkOver, or Django's ValidationError for a password that is too easy to guess.
    """
    link = find_link(secret=secret, kind=kind, at=at)
    if link is None:
        raise LinkOver
    validate_password(password, link.user)
    user = _lock(link)
    if not spend_link(link, at=at):
        raise LinkOver
    who = themselves(user, actor)
    is_first = is_invited(user)
    _keep(user, password, at=at)
    # Wrong tries of a password that is no more do not keep its owner out.
    reset(username=user.username)
    end_sessions(user=user, why=Ending.PASSWORD, actor=who, at=at)
    facts, subject = {"username": user.username, "by": kind.value}, ("user", str(user.pk))
    if is_first:
        record(who, "person.joined", subject=subject, facts=facts, at=at)
    else:
        record(who, "person.password_changed", subject=subject, facts=facts, at=at)
    return user


@transaction.atomic
def change_password(*, user: User, password: str, session: str, actor: Actor, at: datetime) -> None:
    """Change one's own password; one's other sessions end. The caller has asked for the old one
    and for the second factor. Raises Django's ValidationError.
    """
    validate_password(password, user)
    user.refresh_from_db()
    _keep(user, password, at=at)
    end_other_sessions(user=user, key=session, why=Ending.PASSWORD, actor=actor, at=at)
    facts = {"username": user.username, "by": "person"}
    record(actor, "person.password_changed", subject=("user", str(user.pk)), facts=facts, at=at)


@transaction.atomic
def change_email(*, user: User, email: str, actor: Actor, at: datetime) -> None:
    """Send letters to another address from now on, and tell the one until now.

    Called by an executed approval: the address carries links to new passwords. Raises EmailTaken.
    """
    before = put_email(user=user, email=email, actor=actor, at=at)
    write_letter(user, "email_changed", to=before, when=at, undo="", at=at)


@transaction.atomic
def put_email(*, user: User, email: str, actor: Actor, at: datetime) -> str:
    """Set the address and return the one before, which the caller tells. Raises EmailTaken."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    if User.objects.filter(email__iexact=email).exclude(pk=user.pk).exists():
        raise EmailTaken
    before, locked.email = locked.email, email
    locked.save(update_fields=["email"])
    user.email = email
    forget_links(user=locked, at=at)
    record(
        actor, "person.email_changed", subject=("user", str(locked.pk)),
        facts={"username": locked.username}, before={"email": masked(before, kind=Kind.EMAIL)},
        after={"email": masked(email, kind=Kind.EMAIL)}, at=at,
    )  # fmt: skip
    return before


def themselves(user: User, stranger: Actor) -> Actor:
    """Who came with a link is its person, from where the stranger came."""
    return Actor(
        "user", str(user.pk), user.username, stranger.address,
        person=user.pk, role=role_names(user), agent=stranger.agent,
    )  # fmt: skip


def _lock(link: MailedLink) -> User:
    return User.objects.select_for_update().get(pk=link.user_id)


def _keep(user: User, password: str, *, at: datetime) -> None:
    """Store it, make every link useless that was under way, and tell the person."""
    is_first = is_invited(user)
    user.set_password(password)
    user.save(update_fields=["password"])
    forget_links(user=user, at=at)
    if not is_first:
        write_letter(user, "password_changed", at=at, when=at)
