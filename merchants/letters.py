"""The letters of this storey, and the pages where one acts on them."""

from django.utils.translation import gettext_lazy as _

from compliance.identity.letter_kinds import LetterKind, Reader, register_letters

APPLICATION = "merchants:application"
PAPERS = "merchants:papers"


def register_own_letters() -> None:
    """Called once, when the application is ready."""
    register_letters(
        LetterKind(template="registered_already", label=_("Registered already")),
        LetterKind(
            template="application_changes", label=_("Application: changes wanted"),
            is_optional=True, page=APPLICATION,
        ),
        LetterKind(
            template="application_approved", label=_("Application: approved"), is_optional=True,
            page="merchants:papers",
        ),
        LetterKind(
            template="application_rejected", label=_("Application: not accepted"),
            is_optional=True, page=APPLICATION,
        ),
        LetterKind(
            template="paper_runs_out", label=_("A paper runs out"), is_optional=True, page=PAPERS
        ),
        LetterKind(
            template="renewal_decided", label=_("A new paper was looked at"), is_optional=True,
            page=PAPERS,
        ),
        LetterKind(
            template="data_to_confirm", label=_("Data to confirm"), is_optional=True, page=PAPERS
        ),
        LetterKind(
            template="confirmation_decided", label=_("Confirmed data were looked at"),
            is_optional=True, page=PAPERS,
        ),
        LetterKind(
            template="key_ends", label=_("An API key ends soon"), is_optional=True,
            page="merchants:keys",
        ),
        LetterKind(
            template="key_rotated", label=_("An API key has a new secret"), page="merchants:keys"
        ),
        LetterKind(template="team_changed", label=_("The team changed"), page="merchants:team"),
        LetterKind(
            template="ticket_answered", label=_("Support answered"), is_optional=True,
            page="merchants:tickets",
        ),
        LetterKind(
            template="ticket_resolved", label=_("Support regards a question as resolved"),
            is_optional=True, page="merchants:tickets",
        ),
        LetterKind(template="ticket_opened", label=_("A question is with support")),
        LetterKind(
            template="tickets_waiting", label=_("Tickets wait for an answer"), is_optional=True,
            reader=Reader.STAFF,
        ),
    )  # fmt: skip
