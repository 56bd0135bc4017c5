"""Addresses of the portal's pages of this storey."""

from django.urls import path

from merchants.portal import approval_pages, team_pages, views

app_name = "merchants"
urlpatterns = [
    path("choose/", views.choose, name="choose"),
    path("keys/", views.keys, name="keys"),
    path("keys/<str:key>/revoke/", views.revoke, name="revoke"),
    path("team/", team_pages.team, name="team"),
    path("team/invite/", team_pages.invite, name="invite"),
    path("team/<int:member>/", team_pages.member, name="member"),
    path("team/<int:member>/role/", team_pages.change_role, name="member-role"),
    path("team/<int:member>/remove/", team_pages.remove, name="member-remove"),
    path("team/<int:member>/invite-again/", team_pages.invite_anew, name="member-invite"),
    path("approvals/", approval_pages.approvals, name="approvals"),
    path("approvals/<str:approval>/", approval_pages.approval, name="approval"),
    path("approvals/<str:approval>/decide/", approval_pages.decide, name="decide"),
]
