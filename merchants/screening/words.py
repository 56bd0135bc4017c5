"""What this room says to people: why names are alike, how strong a hit is, what was refused."""

from collections.abc import Mapping, Sequence
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from merchants.errors import MerchantRefusal
from merchants.screening.errors import ListRefused
from merchants.screening.matching import Reason, Strength

REASONS: Final[Mapping[Reason, Promise]] = {
    Reason.IDENTITY: gettext_lazy("The identity number is the same"),
    Reason.EXACT: gettext_lazy("The name is the same"),
    Reason.NORMAL: gettext_lazy("The name is the same but for the way it is written"),
    Reason.LOOKALIKE: gettext_lazy("The name differs in characters that look alike"),
    Reason.SOUND: gettext_lazy("One is the Pinyin of the other"),
    Reason.HOMOPHONE: gettext_lazy("The names sound the same"),
    Reason.SPELLING: gettext_lazy("Almost all characters are the same"),
    Reason.VOWELS: gettext_lazy("Only the vowels differ"),
    Reason.BIRTH_AGREES: gettext_lazy("The date of birth agrees"),
    Reason.BIRTH_DIFFERS: gettext_lazy("The date of birth differs"),
}

STRENGTHS: Final[Mapping[Strength, Promise]] = {
    Strength.BLOCK: pgettext_lazy("hit", "Blocks"),
    Strength.HOLD: pgettext_lazy("hit", "Holds"),
    Strength.LOG: pgettext_lazy("hit", "Weak"),
    Strength.NONE: pgettext_lazy("hit", "None"),
}

_LIST_REFUSALS: Final[Mapping[str, Promise]] = {
    "list_unknown": gettext_lazy("There is no such list yet: its kind and its name are needed."),
    "too_large": gettext_lazy("The file is too large."),
    "encoding": gettext_lazy("The file is neither UTF-8 nor GB18030."),
    "header": gettext_lazy("The first line must be: %(expected)s"),
    "too_many_rows": gettext_lazy("The file has too many entries."),
    "empty": gettext_lazy("The file has no entries."),
    "rows_wrong": gettext_lazy("Nothing was loaded, because lines are wrong."),
    "shrunk": gettext_lazy("The list would shrink from %(before)s to %(count)s: give the number."),
    "count_differs": gettext_lazy("The file has %(count)s entries, not %(expected)s."),
}

_DECISION_REFUSALS: Final[Mapping[str, Promise]] = {
    "may_not_decide": gettext_lazy("Your role does not decide hits."),
    "reason_missing": gettext_lazy("A decision needs a reason."),
    "hit_unknown": gettext_lazy("There is no such hit."),
    "hit_outdated": gettext_lazy("The subject was screened anew. Decide the newer hit."),
    "not_to_be_decided": gettext_lazy("The hit was decided so already, or needs no decision."),
}


def reason_text(reason: str) -> str:
    """A reason for people; the bare word for one of another algorithm."""
    return str(REASONS[Reason(reason)]) if reason in set(Reason) else reason


def strength_text(strength: str) -> str:
    """A strength for people."""
    return str(STRENGTHS[Strength(strength)])


def list_refusal(refusal: ListRefused) -> Sequence[str]:
    """Why a file was not loaded, and a line for each line of it that is wrong."""
    told = _LIST_REFUSALS.get(refusal.code)
    lines = [
        _("Line %(line)s: %(column)s") % {"line": line, "column": column}
        for line, column in refusal.facts.get("lines", ())
    ]
    return [str(told) % refusal.facts if told else refusal.code, *lines]


def decision_refusal(refusal: MerchantRefusal) -> str:
    """Why a hit was not decided."""
    return str(_DECISION_REFUSALS.get(refusal.code, refusal.code))
