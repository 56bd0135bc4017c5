"""The form of a channel's configuration, built from what its gateway's dialect asks for."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from payments.channels.base import Credential, Dialect
from payments.channels.configuration import Offers, Settings
from payments.channels.configuring import Draft
from payments.channels.key_faults import MENDS, PASTED_MAX, KeyFault
from payments.channels.models import ChannelVersion

PREFIX: Final = "value_"
LONG: Final = frozenset({"private_key", "public_key", "certificate"})
KEEP: Final = gettext_lazy("Filled in already and never shown. Leave empty to keep it.")


class UnshownArea(forms.Textarea):
    """For a secret of many lines: what was typed is not sent back with the page."""

    def format_value(self, value: Any) -> str:
        """Nothing."""
        return ""


def mend_of(code: str) -> str:
    """What is wrong with a value and how to mend it, in the reader's language."""
    return _(KeyFault(code=code).mend) if code in MENDS else code


class ChannelForm(forms.Form):
    """A draft. Secrets are written and never read: an empty one stays as it was."""

    code = forms.SlugField(label=gettext_lazy("code"), max_length=32)
    name = forms.CharField(label=gettext_lazy("name"), max_length=64)
    livemode = forms.BooleanField(label=gettext_lazy("live mode"), required=False)
    base_url = forms.URLField(
        label=gettext_lazy("gateway address"), max_length=200, assume_scheme="https"
    )
    methods = forms.MultipleChoiceField(
        label=gettext_lazy("methods"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen: all that the gateway has."),
    )  # fmt: skip
    amount_min_minor = forms.IntegerField(
        label=gettext_lazy("smallest payment (fen)"), min_value=1, required=False
    )
    amount_max_minor = forms.IntegerField(
        label=gettext_lazy("largest payment (fen)"), min_value=1, required=False
    )
    merchants = forms.CharField(
        label=gettext_lazy("merchants"), required=False, max_length=4000, widget=forms.Textarea,
        help_text=gettext_lazy("Numbers of those who may use it, one a line. Empty: all."),
    )  # fmt: skip
    reason = forms.CharField(label=gettext_lazy("reason"), max_length=500)

    def __init__(
        self, data: Any = None, files: Any = None, *, dialect: Dialect, base: ChannelVersion | None
    ) -> None:
        """`base` is the version whose values are shown and whose secrets stay."""
        super().__init__(data, files)
        self.dialect, self.base = dialect, base
        choices = [(method.code, _(method.label)) for method in dialect.methods]
        self.fields["methods"].choices = choices  # type: ignore[attr-defined]
        self.fields["base_url"].initial = dialect.base_url
        kept = set(base.secrets.values_list("name", flat=True)) if base else set()
        for one in dialect.credentials:
            self.fields[PREFIX + one.name] = _field_of(one, is_kept=one.name in kept)
            if one.kind == "certificate":
                self.fields[f"file_{one.name}"] = forms.FileField(
                    label=_("… or its file"), required=False, max_length=100
                )
        if base is not None:
            self._show(Settings.from_json(base.configuration), base)
        self.order_fields([name for name in self.fields if name != "reason"])

    def _show(self, settings: Settings, base: ChannelVersion) -> None:
        offers = settings.offers
        self.initial = {
            "code": base.channel.code, "name": settings.name, "livemode": base.channel.livemode,
            "base_url": settings.base_url, "methods": list(offers.methods),
            "amount_min_minor": offers.amount_min_minor,
            "amount_max_minor": offers.amount_max_minor, "merchants": "\n".join(offers.merchants),
            **{PREFIX + name: text for name, text in settings.values.items()},
        }  # fmt: skip
        for name in ("code", "livemode"):
            self.fields[name].disabled = True

    def clean(self) -> dict[str, Any]:
        """A file takes the place of a text; limits must leave something between them."""
        said: dict[str, Any] = super().clean() or {}
        for one in self.dialect.credentials:
            upload = said.get(f"file_{one.name}")
            if upload is not None and upload.size > PASTED_MAX:
                self.add_error(f"file_{one.name}", mend_of("too_long"))
            elif upload is not None:
                said[PREFIX + one.name] = upload.read().decode("utf-8", "replace")
        least, most = said.get("amount_min_minor"), said.get("amount_max_minor")
        if least and most and least > most:
            self.add_error("amount_max_minor", _("The largest is smaller than the smallest."))
        return said

    def draft(self) -> Draft:
        """What was written. Called when the form is valid."""
        said = self.cleaned_data
        given = {one.name: said.get(PREFIX + one.name) or "" for one in self.dialect.credentials}
        secret = {one.name for one in self.dialect.credentials if one.is_secret}
        address = front = said["base_url"].rstrip("/")
        if self.base is not None and self.base.configuration["base_url"] == address:
            front = self.base.configuration["front_url"]
        return Draft(
            code=said["code"], gateway=self.dialect.name, livemode=said["livemode"],
            settings=Settings(
                name=said["name"], base_url=address,
                front_url=front,
                values={name: text for name, text in given.items() if name not in secret},
                offers=Offers(
                    methods=tuple(said["methods"]), amount_min_minor=said["amount_min_minor"],
                    amount_max_minor=said["amount_max_minor"],
                    merchants=tuple(said["merchants"].split()),
                ),
            ),
            secrets={name: text for name, text in given.items() if name in secret},
            base=self.base.number if self.base else None, reason=said["reason"],
        )  # fmt: skip

    def blame(self, faults: Mapping[str, str]) -> None:
        """Say at each field what is wrong with its value."""
        for name, code in faults.items():
            field = PREFIX + name
            self.add_error(field if field in self.fields else None, mend_of(code))


def _field_of(one: Credential, *, is_kept: bool) -> forms.CharField:
    widget: Any = forms.Textarea if one.kind in LONG else forms.TextInput
    if one.kind in LONG and one.is_secret:
        widget = UnshownArea
    if one.kind == "secret":
        widget = forms.PasswordInput(attrs={"autocomplete": "off"})
    return forms.CharField(
        label=_(one.label), required=False, max_length=PASTED_MAX, widget=widget,
        help_text=KEEP if is_kept else "",
    )  # fmt: skip
