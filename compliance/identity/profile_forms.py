"""What people type about themselves."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.identity.letter_kinds import optional_kinds
from compliance.identity.models import User
from compliance.identity.zones import zone_names


class ProfileForm(forms.Form):
    """How pages name somebody, and in which language and time zone they are read."""

    display_name = forms.CharField(
        label=pgettext_lazy("person", "name"), max_length=100,
        help_text=_("Colleagues and the audit trail name you so."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The languages that pages have, and the zones that the machine knows."""
        super().__init__(*args, **kwargs)
        languages = [("", _("As the browser asks")), *settings.LANGUAGES]
        self.fields["language"].choices = languages  # type: ignore[attr-defined]
        zones = [(name, name.replace("_", " ")) for name in zone_names()]
        self.fields["time_zone"].choices = zones  # type: ignore[attr-defined]

    def clean_time_zone(self) -> str:
        """The platform's own is kept as none: who never chose moves along with it."""
        chosen = str(self.cleaned_data["time_zone"])
        return "" if chosen == settings.TIME_ZONE else chosen


class OwnEmailForm(forms.Form):
    """The address that letters are to go to."""

    email = forms.EmailField(
        label=_("New e-mail address"), max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autocapitalize": "none"}),
    )  # fmt: skip


class LettersForm(forms.Form):
    """Which letters come by e-mail."""

    wanted = forms.MultipleChoiceField(
        label=_("Sent by e-mail as well"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        """Those that this person may do without."""
        kinds = optional_kinds(is_staff=user.is_staff)
        chosen = [kind.template for kind in kinds if kind.template not in user.letters_off]
        super().__init__(data, initial={"wanted": chosen})
        choices = [(kind.template, kind.label) for kind in kinds]
        self.fields["wanted"].choices = choices  # type: ignore[attr-defined]
