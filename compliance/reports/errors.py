"""Why something was not done with a report. Refusals: expected, and told by their code."""

from typing import Final

from django.utils.translation import gettext_lazy as _


class ReportRefused(Exception):
    """`code` is a key of TOLD."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def told(self) -> str:
        """What a person reads."""
        return str(TOLD[self.code])


TOLD: Final = {
    "unknown": _("There is no such report."),
    "ability_missing": _("Your role does not allow this. Ask somebody whose role does."),
    "period_wrong": _("The first day must not be after the last, and the last must be over."),
    "language_unknown": _("Reports are made in Chinese or in English."),
    "state_wrong": _("The report has moved on meanwhile. Look at its state."),
    "reason_missing": _("Write down the reason, so that others understand it later."),
    "data_changed": _("The stored data or file is not what was made. Have a new version made."),
    "chain_broken": _(
        "The audit trail is broken, and this report says that it is whole. Have a new version made."
    ),
    "no_signer": _("No key for signatures is set up. See REPORT_SIGNER in the deployer's page."),
    "signature_bad": _("The signed file does not verify. Nothing was published."),
}


def report_told(error: Exception) -> str:
    """A refusal in words for people."""
    return error.told if isinstance(error, ReportRefused) else str(error)
