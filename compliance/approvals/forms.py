"""What people type to ask for something about a person."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.approvals.request import REASON_MAX
from compliance.approvals.role_changes import GRANT, REVOKE
from compliance.identity.models import User
from compliance.identity.states import StaffRole


class RoleForm(forms.Form):
    """One change of one person's roles."""

    change = forms.ChoiceField(label=gettext_lazy("Change"))
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        """The changes that are possible from where the person stands."""
        super().__init__(*args, **kwargs)
        held = set(user.role_grants.values_list("role", flat=True))
        self.fields["change"].choices = [  # type: ignore[attr-defined]
            (f"{REVOKE}:{role}", _("Take away: %(role)s") % {"role": role.label})
            if role in held
            else (f"{GRANT}:{role}", _("Give: %(role)s") % {"role": role.label})
            for role in StaffRole
        ]


class FactorForm(forms.Form):
    """Why somebody needs another authenticator."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip


class EmailForm(FactorForm):
    """Where letters to somebody are to go, and why."""

    email = forms.EmailField(label=gettext_lazy("New e-mail address"))
    field_order = ("email", "reason")
