"""The letters of this storey, and the pages where one acts on them."""

from django.utils.translation import gettext_lazy as _

from compliance.identity.letter_kinds import LetterKind, Reader, register_letters


def register_own_letters() -> None:
    """Called once, when the application is ready."""
    register_letters(
        LetterKind(
            template="endpoint_stopped", label=_("A callback endpoint was switched off"),
            is_optional=True, page="payments_portal:endpoints",
        ),
        LetterKind(
            template="certificate_ends", label=_("A certificate of a channel ends soon"),
            reader=Reader.STAFF,
        ),
    )  # fmt: skip
