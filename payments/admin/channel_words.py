"""What the pages of channels say: refusals, results of a test, versions and their differences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.approvals.errors import ApprovalRefused
from payments.admin.channel_forms import mend_of
from payments.channels.base import BadCredential
from payments.channels.configuring import ChannelRefused, ConfigurationRefused
from payments.channels.key_faults import (
    CertificateFacts,
    certificates_in,
    facts_of_certificate,
    fault_of_problem,
)
from payments.channels.models import Channel, ChannelVersion
from payments.channels.registry import HostNotAllowed, dialects
from payments.channels.trying import Trial

VERSIONS_MAX: Final = 50
SHOWN_MAX: Final = 80
WHY: Final = {
    "ability_missing": gettext_lazy("Your role does not allow this."),
    "reason_missing": gettext_lazy("Say why."),
    "other_gateway": gettext_lazy("Another channel has this code already."),
    "unknown": gettext_lazy("This channel or version is not there."),
    "not_stopped": gettext_lazy("The channel is not stopped."),
}


def refusal_told(refusal: Exception) -> str:
    """A refusal in words."""
    match refusal:
        case ApprovalRefused():
            return str(refusal.told)
        case ConfigurationRefused(faults=faults):
            return " ".join(f"{name}: {mend_of(code)}" for name, code in faults.items())
        case BadCredential(name=name, problem=problem):
            return f"{name}: {mend_of(fault_of_problem(problem).code)}"
        case ChannelRefused(why=why):
            return str(WHY.get(why, why))
        case HostNotAllowed():
            return _("This address is not the gateway's own.")
        case _:
            return _("The channel has another state by now.")


def trial_told(trial: Trial) -> str:
    """The result of a test in words."""
    match trial.result:
        case "works":
            return _("The gateway answered, and its signature is right: the connection works.")
        case "refused":
            return _(
                "The gateway answered and refused us (%(code)s: %(told)s). A number or a key "
                "differs from what is registered there."
            ) % {"code": trial.code, "told": trial.told}
        case _ if trial.code in {"bad_signature", "unsigned", "unknown_key"}:
            return _(
                "An answer came that the gateway's key does not verify. The gateway's public key "
                "or certificate is the wrong one."
            )
        case _:
            return _(
                "No answer that can be trusted came (%(code)s). Look at the address and at the "
                "way out of the house's network, then try again."
            ) % {"code": trial.code}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldVersion:
    """A version as its page shows it. `changes` compares it with the one before."""

    version: ChannelVersion
    is_active: bool
    agreed: str
    changes: list[tuple[str, str, str]]
    certificates: list[tuple[str, CertificateFacts]]


def versions_told(channel: Channel, *, active: int | None) -> list[ToldVersion]:
    """The latest versions, newest first."""
    rows = list(
        channel.versions.select_related("made_by")
        .prefetch_related("secrets", "activations")
        .order_by("-number")[:VERSIONS_MAX]
    )
    before = [*rows[1:], None]
    return [
        ToldVersion(
            version=row, is_active=row.number == active,
            agreed=", ".join(one.agreed_by for one in row.activations.all() if one.agreed_by),
            changes=_changes(earlier, row), certificates=_certificates(channel, row),
        )
        for row, earlier in zip(rows, before, strict=True)
    ]  # fmt: skip


def _flat(version: ChannelVersion | None) -> Mapping[str, str]:
    """Names and values for a comparison; of secrets the beginning of the fingerprint."""
    if version is None:
        return {}
    told: dict[str, Any] = dict(version.configuration)
    flat = {**told.pop("values"), **told.pop("offers"), **told}
    secrets = {one.name: one.fingerprint[:16] for one in version.secrets.all()}
    return {
        name: _short(value)
        for name, value in {**flat, **secrets}.items()
        if value not in (None, "")
    }


def _short(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 1]}…"


def _changes(earlier: ChannelVersion | None, later: ChannelVersion) -> list[tuple[str, str, str]]:
    was, now = _flat(earlier), _flat(later)
    return [
        (name, was.get(name, ""), now.get(name, ""))
        for name in sorted({*was, *now})
        if was.get(name, "") != now.get(name, "")
    ]


def _certificates(channel: Channel, version: ChannelVersion) -> list[tuple[str, CertificateFacts]]:
    values = version.configuration["values"]
    return [
        (_(one.label), facts_of_certificate(found))
        for one in dialects()[channel.gateway].credentials
        if one.kind == "certificate"
        for found in certificates_in(values.get(one.name, ""))[:3]
    ]
