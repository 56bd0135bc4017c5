"""The letters of this storey."""

from django.utils.translation import gettext_lazy as _

from compliance.identity.letter_kinds import LetterKind, Reader, register_letters

ACCOUNT = "identity:account"


def register_own_letters() -> None:
    """Called once, when the application is ready."""
    anybody = Reader.ANYBODY
    register_letters(
        LetterKind(template="invitation", label=_("Invitation"), reader=anybody),
        LetterKind(template="password", label=_("New password"), reader=anybody),
        LetterKind(template="signin", label=_("Sign in"), reader=anybody),
        LetterKind(template="code", label=_("Code to sign in"), reader=anybody),
        LetterKind(
            template="password_changed", label=_("Password changed"), reader=anybody, page=ACCOUNT
        ),
        LetterKind(template="email_confirm", label=_("New e-mail address"), reader=anybody),
        LetterKind(
            template="email_changed", label=_("E-mail address changed"), reader=anybody,
            page=ACCOUNT,
        ),
        LetterKind(
            template="email_undone", label=_("E-mail address put back"), reader=anybody,
            page=ACCOUNT,
        ),
        LetterKind(
            template="phone_changed", label=_("Phone for codes changed"), reader=anybody,
            page=ACCOUNT,
        ),
        LetterKind(
            template="phone_removed", label=_("Phone for codes removed"), reader=anybody,
            page=ACCOUNT,
        ),
        LetterKind(
            template="recovery_used", label=_("Recovery code used"), reader=anybody, page=ACCOUNT
        ),
        LetterKind(
            template="approval_waiting", label=_("A request waits for you"), reader=anybody,
            is_optional=True,
        ),
    )  # fmt: skip
