"""The merchant's team: who is in it, and asking that somebody joins, changes or leaves."""

from collections.abc import Callable

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance.approvals.errors import ApprovalRefused
from compliance.approvals.models import Approval
from compliance.approvals.states import ApprovalState
from compliance.identity.models import User
from compliance.identity.people import is_invited
from compliance.identity.signin import person_of
from compliance.identity.stepup import Deed, Fact
from compliance.identity.stepup_pages import requires_step_up
from merchants.access import MerchantAccess
from merchants.accounts.abilities import PAYMENTS_READ, TEAM_MANAGE
from merchants.accounts.models import Member
from merchants.accounts.queries import list_team, merchant_name
from merchants.accounts.states import Role
from merchants.accounts.team import MemberNotFound
from merchants.accounts.team_requests import (
    ask_for_role,
    ask_to_invite,
    ask_to_remove,
    invite_again,
    member_of,
)
from merchants.portal.forms import InvitationForm, ReasonForm, RoleForm
from merchants.portal.session import frame_of, portal_page


@never_cache
@require_safe
@portal_page(PAYMENTS_READ)
def team(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """The merchant's people."""
    context = {**frame_of(access), "team": list_team(access)}
    return render(request, "portal/merchants/team.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@portal_page(TEAM_MANAGE)
def invite(request: HttpRequest, access: MerchantAccess) -> HttpResponse:
    """Ask that somebody new joins."""
    form = InvitationForm(request.POST or None, initial={"role": Role.READ_ONLY})
    if form.is_valid():
        said = form.cleaned_data
        deed = _deed(
            access, "team.invite", _("Invite somebody to the team"),
            person=f"{said['display_name']} ({said['username']})", role=said["role"],
            email=said["email"],
        )  # fmt: skip

        def ask(maker: User) -> Approval:
            return ask_to_invite(
                access=access, maker=maker, username=said["username"],
                display_name=said["display_name"], email=said["email"], role=Role(said["role"]),
                reason=said["reason"], at=timezone.now(),
            )  # fmt: skip

        if answer := _asked(request, form, deed, ask, done=_("The invitation is on its way.")):
            return answer
    context = {**frame_of(access), "form": form}
    return render(request, "portal/merchants/invite.html", context)


@never_cache
@require_safe
@portal_page(TEAM_MANAGE)
def member(request: HttpRequest, access: MerchantAccess, member: int) -> HttpResponse:
    """One of the team, and what can be changed."""
    row = _member(access, member)
    return _member_page(request, access, row)


@never_cache
@require_POST
@portal_page(TEAM_MANAGE)
def change_role(request: HttpRequest, access: MerchantAccess, member: int) -> HttpResponse:
    """Ask for another role."""
    row = _member(access, member)
    form = RoleForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        deed = _deed(
            access, "team.role", _("Change the role of a colleague"), person=_name(row),
            role=said["role"], before=row.role,
        )  # fmt: skip

        def ask(maker: User) -> Approval:
            return ask_for_role(
                access=access, maker=maker, member=row.pk, role=Role(said["role"]),
                reason=said["reason"], at=timezone.now(),
            )  # fmt: skip

        if answer := _asked(
            request, form, deed, ask, done=_("The role is changed."), back=_page_of(row)
        ):
            return answer
    return _member_page(request, access, row, role_form=form)


@never_cache
@require_POST
@portal_page(TEAM_MANAGE)
def remove(request: HttpRequest, access: MerchantAccess, member: int) -> HttpResponse:
    """Ask that somebody leaves."""
    row = _member(access, member)
    form = ReasonForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        deed = _deed(
            access, "team.remove", _("Take a colleague out of the team"), person=_name(row),
            before=row.role,
        )  # fmt: skip

        def ask(maker: User) -> Approval:
            return ask_to_remove(
                access=access, maker=maker, member=row.pk, reason=reason, at=timezone.now()
            )

        if answer := _asked(
            request, form, deed, ask, done=_("They are not in the team any more."),
            back=_page_of(row),
        ):  # fmt: skip
            return answer
    return _member_page(request, access, row, remove_form=form)


@require_POST
@portal_page(TEAM_MANAGE)
def invite_anew(request: HttpRequest, access: MerchantAccess, member: int) -> HttpResponse:
    """Send the invitation once more."""
    try:
        invite_again(access=access, member=member, at=timezone.now())
    except MemberNotFound:
        raise Http404 from None
    messages.success(request, _("The invitation is on its way. Links in older letters are void."))
    return redirect("merchants:member", member)


def _asked(
    request: HttpRequest,
    form: Form,
    deed: Deed,
    ask: Callable[[User], Approval],
    *,
    done: str,
    back: str = "",
) -> HttpResponse | None:
    """Step up, ask, and go where the person sees what came of it; None: the form says why not."""
    maker = person_of(request)
    if maker is None:
        raise Http404
    if answer := requires_step_up(request, deed, back=back):
        return answer
    try:
        approval = ask(maker)
    except ApprovalRefused as refusal:
        form.add_error(None, refusal.told)
        return None
    if approval.state == ApprovalState.EXECUTED:
        messages.success(request, done)
        return redirect("merchants:team")
    messages.success(request, _("You asked for it. Another owner must agree."))
    return redirect("merchants:approval", approval.public_id)


def _deed(
    access: MerchantAccess, purpose: str, title: str, *, person: str, role: str = "",
    before: str = "", email: str = "",
) -> Deed:  # fmt: skip
    """What somebody confirms who changes the team."""
    named = dict(Role.choices)
    facts = [
        Fact("merchant", _("Merchant"), access.merchant, shown=merchant_name(access)),
        Fact("person", _("Person"), person),
    ]
    if email:
        facts.append(Fact("email", _("Email address"), email))
    if before:
        facts.append(Fact("before", _("Role until now"), before, shown=str(named[before])))
    if role:
        facts.append(Fact("role", _("Role"), role, shown=str(named[role])))
    return Deed(purpose=purpose, title=title, facts=tuple(facts))


def _member(access: MerchantAccess, member: int) -> Member:
    try:
        return member_of(access, member)
    except MemberNotFound:
        raise Http404 from None


def _name(row: Member) -> str:
    return f"{row.user.display_name} ({row.user.username})"


def _page_of(row: Member) -> str:
    return reverse("merchants:member", args=[row.pk])


def _member_page(
    request: HttpRequest,
    access: MerchantAccess,
    row: Member,
    *,
    role_form: Form | None = None,
    remove_form: Form | None = None,
) -> HttpResponse:
    context = {
        **frame_of(access),
        "member": row,
        "is_invited": is_invited(row.user),
        "role_form": role_form or RoleForm(initial={"role": row.role}),
        "remove_form": remove_form or ReasonForm(prefix=None, auto_id="id_leave_%s"),
    }
    return render(request, "portal/merchants/member.html", context)
