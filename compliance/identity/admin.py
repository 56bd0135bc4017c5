"""The admin's pages of people: invited, switched off, signed out; never given a password."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Field, Model
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_POST

from compliance.audit.actor import Actor
from compliance.audit.trail import record
from compliance.identity.errors import SessionNotFound
from compliance.identity.models import Authenticator, BrowserSession, RoleGrant, User
from compliance.identity.people import invite, is_invited, send_password_link
from compliance.identity.readonly import ReadOnly
from compliance.identity.sessions import end_session, end_sessions, list_sessions
from compliance.identity.signin import actor_of
from compliance.identity.states import Ending
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from compliance.protection.masking import Kind, masked

REASON_MAX = 500


def _shown(name: str, value: object) -> object:
    """A field of a person as the trail keeps it."""
    if name in {"is_active", "language", "username"}:
        return value
    return masked(str(value or ""), kind=Kind.NAME)


class RolesInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The person's roles, to read: approvals give and take them."""

    model = RoleGrant
    fk_name = "user"
    extra = 0
    fields = ["role", "granted_by", "granted_at"]
    readonly_fields = ["role", "granted_by", "granted_at"]
    can_delete = False


class InvitationForm(ModelForm):  # type: ignore[type-arg]
    """Somebody who is to be invited. The password is their own affair."""

    class Meta:
        model = User
        fields = ("username", "display_name", "email", "person_ref", "language")


class EndForm(forms.Form):
    """Where somebody is signed out, and why."""

    session = forms.ChoiceField(label=gettext_lazy("Sessions"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=REASON_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip
    field_order = ("session", "reason")

    def __init__(self, *args: Any, sessions: Sequence[BrowserSession], **kwargs: Any) -> None:
        """One of these, or all of them."""
        super().__init__(*args, **kwargs)
        self.fields["session"].choices = [  # type: ignore[attr-defined]
            ("", _("End all of them")),
            *((row.public_id, f"{row} · {row.address}") for row in sessions),
        ]


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """People are invited and switched off here, never deleted."""

    list_display = ["username", "display_name", "email", "is_staff", "is_active", "last_login"]
    list_filter = ["is_staff", "is_active", "role_grants__role"]
    search_fields = ["username", "display_name", "email"]
    ordering = ["username"]
    list_per_page = 50
    show_full_result_count = False
    add_form = InvitationForm
    add_form_template = "admin/change_form.html"
    fieldsets = [
        (None, {"fields": ["username"]}),
        (gettext_lazy("Person"), {"fields": ["display_name", "email", "language"]}),
        (
            pgettext_lazy("person", "Account"),
            {"fields": ["is_active", "is_staff", "is_superuser", "person_ref"]},
        ),
        (gettext_lazy("Times"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "display_name", "email", "language", "person_ref"]}),
    ]
    # Rights come from roles, and roles from approvals: no form sets any of these.
    readonly_fields = ["is_staff", "is_superuser", "last_login", "date_joined"]
    filter_horizontal = ()

    def get_form(  # type: ignore[override]  # `change` comes by its name
        self, request: HttpRequest, obj: Any = None, **kwargs: Any
    ) -> Any:
        """Whoever is there already has a plain form: Django's own wants to show the password."""
        plain = {} if obj is None else {"form": ModelForm}
        return super().get_form(request, obj, **{**plain, **kwargs})

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Languages are chosen among those that pages have."""
        if db_field.name == "language":
            choices = [("", "---------"), *settings.LANGUAGES]
            return forms.ChoiceField(
                choices=choices, required=False, label=gettext_lazy("language")
            )  # fmt: skip
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[type[Any]]:
        """Whoever is added has no roles yet."""
        return [RolesInline] if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Whose account it is stays as it was given; an approval changes where letters go."""
        return [*self.readonly_fields, "person_ref", "email"] if obj else list(self.readonly_fields)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only a superuser touches a superuser's account."""
        is_above = getattr(obj, "is_superuser", False) and not request.user.is_superuser
        return not is_above and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Audit entries name people for years."""
        return False

    def save_model(
        self,
        request: HttpRequest,
        obj: User,
        form: "ModelForm[User]",
        change: bool,  # noqa: FBT001
    ) -> None:
        """Invite, or save and record what was set; the admin runs it in one transaction."""
        actor, now = actor_of(request), timezone.now()
        if not change:
            made = invite(
                username=obj.username, display_name=obj.display_name, email=obj.email,
                person_ref=obj.person_ref, language=obj.language, actor=actor, at=now,
            )  # fmt: skip
            obj.pk = made.pk
            return
        super().save_model(request, obj, form, change)
        record(
            actor, "person.changed", subject=("user", str(obj.pk)), at=now,
            facts={"username": obj.username, "fields": sorted(form.changed_data)},
            before={name: _shown(name, form.initial.get(name)) for name in form.changed_data},
            after={name: _shown(name, form.cleaned_data[name]) for name in form.changed_data},
        )  # fmt: skip
        if "is_active" in form.changed_data and not obj.is_active:
            end_sessions(user=obj, why=Ending.DISABLED, actor=actor, at=now)

    def get_urls(self) -> list[URLPattern]:
        """Nobody sets another person's password: Django's page for it is not there."""
        view = self.admin_site.admin_view
        return [
            path("<int:person>/link/", view(require_POST(self.send_link)),
                 name="compliance_user_link"),
            path("<int:person>/sessions/", view(self.sessions), name="compliance_user_sessions"),
            *(one for one in super().get_urls() if one.name != "auth_user_password_change"),
        ]  # fmt: skip

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With what can be done about the person."""
        person = self.get_object(request, object_id)
        may_change = person is not None and self.has_change_permission(request, person)
        told = {"is_invited": person is not None and is_invited(person), "may_change": may_change}
        return super().change_view(request, object_id, form_url, {**told, **(extra_context or {})})

    def send_link(self, request: HttpRequest, person: int) -> HttpResponse:
        """Send the invitation again, or a link for a new password, after a second look."""
        user = self._person(request, person)
        back = reverse("admin:compliance_user_change", args=[user.pk])
        if answer := requires_step_up(request, _sending(user), back=back):
            return answer
        send_password_link(user=user, actor=actor_of(request), at=timezone.now())
        text = _("A letter with a link is on its way to %(email)s.")
        messages.success(request, text % {"email": user.email})
        return redirect("admin:compliance_user_change", user.pk)

    def sessions(self, request: HttpRequest, person: int) -> HttpResponse:
        """Where somebody is signed in, and the way to end one of it or all."""
        user, now = self._person(request, person), timezone.now()
        sessions = list_sessions(user, at=now)
        form = EndForm(request.POST or None, sessions=sessions)
        if form.is_valid():
            ended = _end(user, actor=actor_of(request), at=now, **form.cleaned_data)
            text = ngettext("%(count)d session was ended.", "%(count)d sessions were ended.", ended)
            messages.success(request, text % {"count": ended})
            return redirect("admin:compliance_user_change", user.pk)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "original": user,
            "title": _("Where %(name)s is signed in") % {"name": user},
            "sessions": sessions, "form": form,
        }  # fmt: skip
        status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
        return render(request, "admin/compliance/user/sessions.html", context, status=status)

    def _person(self, request: HttpRequest, person: int) -> User:
        user = get_object_or_404(User, pk=person)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        return user


def _end(user: User, *, session: str, reason: str, actor: Actor, at: datetime) -> int:
    """End one session or all; how many there were. One that has just ended itself is none."""
    why = Ending.BY_STAFF
    if not session:
        return end_sessions(user=user, why=why, reason=reason, actor=actor, at=at)
    try:
        end_session(user=user, session=session, why=why, reason=reason, actor=actor, at=at)
    except SessionNotFound:
        return 0
    return 1


def _sending(user: User) -> Deed:
    """What an administrator confirms who has a link sent to somebody."""
    return Deed(
        purpose="person.link",
        title=_("Send the invitation again") if is_invited(user)
        else _("Send a link for a new password"),
        facts=(
            Fact("person", _("User name"), str(user.pk), shown=f"{user.username} ({user})"),
            Fact("email", _("Email address"), user.email),
        ),
    )  # fmt: skip


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Who has enrolled, to read. A lost one is taken away by an approval: see the person's page."""

    list_display = ["user", "confirmed", "created_at"]
    list_filter = ["confirmed"]
    search_fields = ["user__username"]
    list_select_related = ["user"]
    fields = ["user", "confirmed", "created_at"]
    readonly_fields = ["user", "confirmed", "created_at"]
