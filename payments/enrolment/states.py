"""States of an enrolment and their moves, on one screen."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import pgettext_lazy

from payments.channels.enrolling import Stand
from payments.errors import IllegalMove


class EnrolmentState(TextChoices):
    """Where a merchant's application to a channel stands."""

    DRAFT = "draft", pgettext_lazy("enrolment", "Draft")
    SUBMITTED = "submitted", pgettext_lazy("enrolment", "Submitted")
    """Being handed in. The gateway has, or may have, heard of it; only its answer ends this."""
    AUDIT = "audit", pgettext_lazy("enrolment", "In review at the gateway")
    ACCOUNT_CHECK = "account_check", pgettext_lazy("enrolment", "Account to be proven")
    NEEDS_CHANGES = "needs_changes", pgettext_lazy("enrolment", "To be corrected")
    TO_BE_SIGNED = "to_be_signed", pgettext_lazy("enrolment", "To be signed")
    OPENING = "opening", pgettext_lazy("enrolment", "Being opened")
    FINISHED = "finished", pgettext_lazy("enrolment", "Finished")
    FROZEN = "frozen", pgettext_lazy("enrolment", "Frozen by the gateway")
    CANCELLED = "cancelled", pgettext_lazy("enrolment", "Cancelled")


_S: Final = EnrolmentState
_ENDINGS: Final = frozenset({_S.FINISHED, _S.FROZEN, _S.CANCELLED})
_LATER: Final = _ENDINGS | {_S.AUDIT, _S.ACCOUNT_CHECK, _S.NEEDS_CHANGES, _S.TO_BE_SIGNED,
                            _S.OPENING}  # fmt: skip

MOVES: Final[dict[EnrolmentState, frozenset[EnrolmentState]]] = {
    _S.DRAFT: frozenset({_S.SUBMITTED, _S.CANCELLED}),
    # Back to the draft when the channel's own keys or rights are refused: nothing reached review.
    _S.SUBMITTED: _LATER | {_S.DRAFT},
    _S.AUDIT: _LATER - {_S.AUDIT},
    _S.ACCOUNT_CHECK: _LATER - {_S.ACCOUNT_CHECK},
    # What was sent back may have been mended on the gateway's own pages.
    _S.NEEDS_CHANGES: (_LATER - {_S.NEEDS_CHANGES}) | {_S.SUBMITTED},
    _S.TO_BE_SIGNED: _ENDINGS | {_S.OPENING, _S.NEEDS_CHANGES},
    _S.OPENING: _ENDINGS | {_S.NEEDS_CHANGES},
    _S.FINISHED: frozenset({_S.FROZEN}),
    _S.FROZEN: frozenset({_S.FINISHED, _S.AUDIT, _S.CANCELLED}),
    _S.CANCELLED: frozenset(),
}
ENDED: Final = frozenset({_S.FINISHED, _S.CANCELLED})
ASKED: Final = frozenset(_S) - ENDED - {_S.DRAFT, _S.FROZEN}
"""In which a gateway with an interface is asked again and again."""
OURS: Final = frozenset({_S.DRAFT, _S.NEEDS_CHANGES})
"""The gateway waits for us, or has not heard of it: it may be handed in, or left."""

OF_STAND: Final[dict[Stand, EnrolmentState]] = {
    Stand.AUDIT: _S.AUDIT,
    Stand.ACCOUNT_CHECK: _S.ACCOUNT_CHECK,
    Stand.NEEDS_CHANGES: _S.NEEDS_CHANGES,
    Stand.TO_BE_SIGNED: _S.TO_BE_SIGNED,
    Stand.OPENING: _S.OPENING,
    Stand.FINISHED: _S.FINISHED,
    Stand.CANCELLED: _S.CANCELLED,
}
"""What a gateway's word means here. Stand.INCOMPLETE moves nothing: it is handed in once more."""


def require_enrolment_move(before: EnrolmentState, after: EnrolmentState) -> None:
    """Raise IllegalMove unless the table allows the move."""
    if after not in MOVES[before]:
        raise IllegalMove(before=before.value, after=after.value)
