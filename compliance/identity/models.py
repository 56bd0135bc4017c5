"""People who sign in, and their second factors."""

import base64
import binascii
import time
import uuid
from typing import Any, Final

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import CharField, Q
from django.db.models.functions import Cast
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP

from compliance.identity.address import short_agent
from compliance.identity.states import CodeMeans, Ending, LinkKind, StaffRole
from compliance.protection.columns import SealedTextField
from compliance.protection.held import Held

CODE_DIGITS: Final = 6
STEP_SECONDS: Final = 30
STEPS_OFF_MAX: Final = 1
"""How many steps the clock of a person's phone may be ahead of or behind ours."""


class User(AbstractUser):  # type: ignore[django-manager-missing]
    """A person. Rows are deactivated, never deleted: audit entries name them for years."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(
        _("email address"),
        unique=True,
        error_messages={"unique": _("A person with this email address exists already.")},
    )
    display_name = models.CharField(pgettext_lazy("person", "name"), max_length=100)
    language = models.CharField(_("language"), max_length=10, blank=True, db_default="")
    """Pages in this language after sign-in; empty follows the browser."""
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, db_default="")
    """Pages and letters tell times in this one; empty: the platform's. See `zones`."""
    letters_off = ArrayField(models.CharField(max_length=64), default=list, db_default=[])
    """Kinds of letters that they do not want; see `letter_kinds`."""

    person_ref = models.CharField(
        _("staff number"),
        max_length=64,
        blank=True,
        db_default=Cast(RandomUUID(), CharField(max_length=64)),
        help_text=_(
            "Two accounts with the same number are one human, who never approves their own wishes."
            " Leave it empty for a number of its own. It never changes."
        ),
    )
    """Which human this account belongs to. A trigger refuses to change it."""

    session_epoch = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    """Counted up to end all of the person's sessions: see `sessions.end_sessions`."""

    REQUIRED_FIELDS = ["email", "display_name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        indexes = [models.Index(fields=["person_ref"], name="user_person")]
        constraints = [
            models.CheckConstraint(condition=~Q(person_ref=""), name="user_is_a_person"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username

    def clean(self) -> None:
        """A person without a staff number is one by themselves."""
        self.person_ref = self.person_ref or str(uuid.uuid4())
        super().clean()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """See `clean`, for people who come from no form."""
        self.person_ref = self.person_ref or str(uuid.uuid4())
        super().save(*args, **kwargs)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must hold to stay open: it changes with the password and the epoch."""
        text = f"{self.password}:{self.session_epoch}"
        salt = "compliance.identity.models.User.session"
        return salted_hmac(salt, text, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        """The name as the person writes it; family and given names are not told apart."""
        return self.display_name

    def get_short_name(self) -> str:
        """See `get_full_name`."""
        return self.display_name


class RoleGrant(models.Model):
    """A role that an account holds. The row goes with the role; the audit trail keeps its story.

    A trigger refuses roles that exclude each other, over all accounts of the same person.
    """

    user = models.ForeignKey(
        User, models.PROTECT, related_name="role_grants", verbose_name=_("person")
    )
    role = models.CharField(
        pgettext_lazy("staff", "role"), max_length=32, choices=StaffRole.choices
    )
    granted_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("granted by")
    )
    """Null: the installation itself."""
    granted_at = models.DateTimeField(_("granted at"))

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["user", "role"], name="role_granted_once"),
            models.CheckConstraint(condition=Q(role__in=StaffRole.values), name="role_is_known"),
        ]

    def __str__(self) -> str:
        return self.get_role_display()


TOTP_SECRETS: Final = Held(
    table="compliance_authenticator",
    column="secret_sealed",
    purpose="totp",
    prefix="authenticator",
)


class Authenticator(ThrottlingMixin, Device):  # type: ignore[misc]
    """An authenticator app, as a django-otp device whose secret is sealed."""

    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("person"))
    confirmed = models.BooleanField(_("confirmed"), default=True)
    secret_sealed = models.CharField(max_length=256)
    last_step = models.BigIntegerField(default=-1)
    """The time step of the last accepted code: no code is taken twice, nor an older one."""
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("authenticator")
        verbose_name_plural = _("authenticators")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(confirmed=True), name="authenticator_one_per_person"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(confirmed=False), name="authenticator_one_offered"
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def secret(self) -> str:
        """The shared secret in base32, as authenticator apps take it."""
        return TOTP_SECRETS.open(self.secret_sealed, row=self.user_id)

    def keep_secret(self, secret: str) -> None:
        """Set the shared secret. The caller saves the row."""
        self.secret_sealed = TOTP_SECRETS.seal(secret, row=self.user_id)

    def get_throttle_factor(self) -> int:
        """Seconds to wait after the first wrong code; each further one doubles the wait."""
        return 1

    def verify_token(self, token: str) -> bool:
        """Whether the code is right and was not used before. The caller holds the row's lock."""
        is_allowed, _why = self.verify_is_allowed()
        if not is_allowed:
            return False
        totp = TOTP(_key(self.secret), step=STEP_SECONDS, digits=CODE_DIGITS)
        totp.time = time.time()
        is_code = token.isascii() and token.isdecimal() and len(token) == CODE_DIGITS
        if not (is_code and totp.verify(int(token), STEPS_OFF_MAX, self.last_step + 1)):
            self.throttle_increment(commit=True)
            return False
        self.last_step = totp.t()
        self.throttle_reset(commit=False)
        self.save()
        return True


class RecoverySheet(Device):  # type: ignore[misc]
    """A person's recovery codes, as a device of django-otp: see `recovery`."""

    user = models.OneToOneField(User, models.CASCADE, related_name="+", verbose_name=_("person"))
    digests = ArrayField(models.CharField(max_length=64))
    """Of the codes that are still good, keyed."""
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(digests__len__lte=10), name="recovery_sheet_ten_codes"
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)


class Phone(models.Model):
    """A person's phone for codes; the one that is offered, and the one that is confirmed."""

    public_id = models.CharField(max_length=32, unique=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    number_sealed = SealedTextField(purpose="phone")
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(confirmed_at__isnull=False), name="phone_one_confirmed"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(confirmed_at__isnull=True), name="phone_one_offered"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class SentCode(Device):  # type: ignore[misc]
    """The last code that was sent to a person, as a device of django-otp: see `sent_codes`."""

    user = models.OneToOneField(User, models.CASCADE, related_name="+", verbose_name=_("person"))
    means = models.CharField(max_length=8, choices=CodeMeans)
    purpose = models.CharField(max_length=16)
    session = models.BinaryField(max_length=32)
    """SHA-256 of the key of the session that asked."""
    digest = models.BinaryField(max_length=32)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(tries__lte=5), name="sent_code_five_tries"),
        ]

    def __str__(self) -> str:
        return str(self.user)


class BrowserSession(models.Model):
    """A browser in which somebody is signed in, or was: see `sessions`. Rows live for weeks."""

    public_id = models.CharField(max_length=32, unique=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="browser_sessions")
    key_digest = models.BinaryField(max_length=32, unique=True)
    """SHA-256 of the session's key, which itself would open the session."""
    is_staff = models.BooleanField()
    """Whether the shorter limits of the staff hold for it."""
    address = models.CharField(max_length=45)
    agent = models.CharField(max_length=200)
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=16, choices=Ending, blank=True, default="")

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["user"], name="browser_session_open", condition=Q(ended_at__isnull=True)
            ),
            models.Index(fields=["began_at"], name="browser_session_age"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_why="")
                | (Q(ended_at__isnull=False) & Q(ended_why__in=Ending.values)),
                name="browser_session_end_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return short_agent(self.agent)


class MailedLink(models.Model):
    """A link that was sent to somebody: see `links`. Rows live for weeks."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=LinkKind)
    digest = models.BinaryField(max_length=32, unique=True)
    browser_digest = models.BinaryField(max_length=32)  # Of who asked; empty: any browser does.
    created_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    """When it was used, or replaced by another."""
    is_used = models.BooleanField(default=False, db_default=False)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind"], condition=Q(ended_at__isnull=True),
                name="mailed_link_one_of_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=LinkKind.values), name="mailed_link_kind_known"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.get_kind_display()


class Letter(models.Model):
    """An e-mail to somebody, see `letters`. Rows live for weeks, their text until it is sent."""

    public_id = models.CharField(max_length=32, unique=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    to = models.EmailField(blank=True)
    """Empty: a text message to the person's phone; without a person, sealed with the text."""
    about = models.CharField(max_length=64)
    """The name of its template."""
    body_sealed = models.TextField(blank=True)
    created_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_try_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    is_sent = models.BooleanField(default=False, db_default=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["next_try_at"], name="letter_due", condition=Q(ended_at__isnull=True)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_sent=False) | Q(ended_at__isnull=False), name="letter_sent_is_ended"
            ),
            models.CheckConstraint(
                condition=(Q(ended_at__isnull=True) & ~Q(body_sealed=""))
                | Q(ended_at__isnull=False, body_sealed=""),
                name="letter_text_until_ended",
            ),
        ]

    def __str__(self) -> str:
        return self.about


def _key(secret: str) -> bytes:
    try:
        return base64.b32decode(secret + "=" * (-len(secret) % 8))
    except binascii.Error as error:
        raise ValueError("an authenticator's secret is base32") from error
