"""Links that are sent by e-mail and open one thing once: an invitation, a new password, a sign-in.

Only a digest of a link's secret is kept. Looking at a link spends nothing, because programs that
guard mailboxes look too; doing what it is for does.
"""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from compliance.identity.models import MailedLink, User
from compliance.identity.states import LinkKind

LASTS: Final[Mapping[LinkKind, timedelta]] = MappingProxyType(
    {
        LinkKind.INVITATION: timedelta(hours=72),
        LinkKind.PASSWORD: timedelta(hours=1),
        LinkKind.SIGN_IN: timedelta(minutes=15),
        LinkKind.EMAIL: timedelta(hours=24),
        LinkKind.EMAIL_UNDO: timedelta(hours=72),
    }
)
SECRET_BYTES: Final = 32


@transaction.atomic
def make_link(
    *, user: User, kind: LinkKind, at: datetime, browser: str = ""
) -> tuple[str, datetime]:
    """A new link for a person, and until when it opens; the older ones of its kind die.

    `browser`: a secret of the browser that asked, which alone may use the link.
    """
    # Who asks twice at once gets one after the other.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    forget_links(user=user, kinds=[kind], at=at)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    until = at + LASTS[kind]
    MailedLink.objects.create(
        user=user,
        kind=kind,
        digest=_digest(secret),
        browser_digest=_digest(browser) if browser else b"",
        created_at=at,
        until=until,
    )
    return f"{settings.BASE_URL}{reverse('identity:link', args=[kind.value, secret])}", until


def find_link(*, secret: str, kind: LinkKind, at: datetime, browser: str = "") -> MailedLink | None:
    """The link, while it opens anything, for a person who may still use it."""
    rows = MailedLink.objects.filter(
        digest=_digest(secret), kind=kind, ended_at__isnull=True, until__gt=at, user__is_active=True
    )
    link = rows.select_related("user").first()
    if link is None:
        return None
    bound = bytes(link.browser_digest)
    is_here = not bound or secrets.compare_digest(bound, _digest(browser))
    return link if is_here else None


def spend_link(link: MailedLink, *, at: datetime) -> bool:
    """Use a link up; False when somebody was faster. Called inside the transaction of its deed."""
    living = MailedLink.objects.filter(pk=link.pk, ended_at__isnull=True, until__gt=at)
    return living.update(ended_at=at, is_used=True) == 1


def forget_links(*, user: User, at: datetime, kinds: list[LinkKind] | None = None) -> None:
    """Make links useless: of these kinds, or all but one that puts the old address back. Whoever
    has taken an account over would make that one useless first.
    """
    living = MailedLink.objects.filter(user=user, ended_at__isnull=True)
    if kinds is None:
        living = living.exclude(kind=LinkKind.EMAIL_UNDO)
    else:
        living = living.filter(kind__in=kinds)
    living.update(ended_at=at)


def forget_old_links(*, at: datetime) -> int:
    """Delete links of weeks ago. Called once an hour."""
    gone, _each = MailedLink.objects.filter(until__lt=at - timedelta(days=30)).delete()
    return gone


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
