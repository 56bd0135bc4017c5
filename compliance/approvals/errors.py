"""Why a request was not made, or not agreed to. Refusals: expected, and told by their code."""

from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class ApprovalRefused(Exception):
    """`code` is a key of TOLD; `facts` are safe to show."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts

    def __str__(self) -> str:
        return f"{self.code} {self.facts}" if self.facts else self.code

    @property
    def told(self) -> str:
        """What a person reads: what happened, and what to do next."""
        if self.code == "not_executable" and self.facts.get("told"):
            return _("Nothing was changed: %(why)s") % {"why": self.facts["told"]}
        return str(TOLD[self.code])


TOLD: Final = {
    "unknown": gettext_lazy("There is no such request."),
    "ability_missing": gettext_lazy("Your role does not allow this. Ask somebody whose role does."),
    "reason_missing": gettext_lazy("Write down the reason, so that others understand it later."),
    "pending_already": gettext_lazy(
        "A request about this is waiting already. Have it decided or cancelled first."
    ),
    "no_change": gettext_lazy("This is how it stands already. There is nothing to ask for."),
    "email_taken": gettext_lazy("Another account has this address. Find out whose it is first."),
    "not_pending": gettext_lazy("This request is over: somebody was quicker, or its time ran out."),
    "own_request": gettext_lazy(
        "You made this request, perhaps with another account. Somebody else must decide it."
    ),
    "own_affair": gettext_lazy("This request is about yourself. Somebody else must decide it."),
    "voted_already": gettext_lazy("You agreed to this already. It takes somebody else as well."),
    "not_maker": gettext_lazy("Only the person who made a request can cancel it."),
    "expired": gettext_lazy("This request's time ran out. Make it again if it is still wanted."),
    "stale": gettext_lazy(
        "What the request is about has changed since it was made, so it is over. Look at how"
        " things stand now, and make it again if it is still wanted."
    ),
    "maker_unable": gettext_lazy(
        "The person who made this request may no longer ask for such a thing, so it is void."
    ),
    "tampered": gettext_lazy(
        "The stored request is not what was asked for: somebody changed it in the database. It is"
        " void, and the audit trail holds an alarm. Tell the compliance officers."
    ),
    "not_executable": gettext_lazy("It cannot be done as things stand. Nothing was changed."),
    "glass_missing": gettext_lazy("This request was not executed by one person in an emergency."),
    "review_done": gettext_lazy("This emergency was reviewed already."),
}
