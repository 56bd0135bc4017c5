"""Addresses of the portal's pages of this storey."""

from django.urls import path

from compliance.identity.address import client_address
from compliance.identity.evenly import evenly
from compliance.identity.limited import limited
from merchants.portal import (
    application_pages,
    approval_pages,
    confirm_pages,
    document_pages,
    key_pages,
    notice_pages,
    paper_pages,
    reading_pages,
    register_pages,
    team_pages,
    ticket_pages,
    views,
)

app_name = "merchants"
urlpatterns = [
    path("choose/", views.choose, name="choose"),
    path("notices/", notice_pages.notices, name="notices"),
    path("notices/read/", notice_pages.read_all, name="notices-read"),
    path("notices/<str:notice>/", notice_pages.look, name="notice"),
    path("keys/", key_pages.keys, name="keys"),
    path("keys/<str:key>/", key_pages.key, name="key"),
    path("keys/<str:key>/networks/", key_pages.networks, name="key-networks"),
    path("keys/<str:key>/end/", key_pages.end, name="key-end"),
    path("keys/<str:key>/rotate/", key_pages.rotate, name="key-rotate"),
    path("keys/<str:key>/end-old/", key_pages.end_old, name="key-end-old"),
    path("keys/<str:key>/revoke/", key_pages.revoke, name="revoke"),
    path("team/", team_pages.team, name="team"),
    path("team/invite/", team_pages.invite, name="invite"),
    path("team/<int:member>/", team_pages.member, name="member"),
    path("team/<int:member>/role/", team_pages.change_role, name="member-role"),
    path("team/<int:member>/remove/", team_pages.remove, name="member-remove"),
    path("team/<int:member>/invite-again/", team_pages.invite_anew, name="member-invite"),
    path(
        "register/",
        limited("register", client_address)(
            limited("register.name", register_pages.email_of)(evenly(register_pages.register))
        ),
        name="register",
    ),
    path("application/", application_pages.overview, name="application"),
    path("application/begin/", application_pages.begin, name="application-begin"),
    path("application/withdraw/", application_pages.give_up, name="application-withdraw"),
    path("application/submit/", application_pages.hand_in, name="application-submit"),
    path("application/documents/", document_pages.documents, name="application-documents"),
    path(
        "application/documents/<str:file>/remove/",
        document_pages.remove,
        name="application-remove",
    ),
    path(
        "application/documents/<str:file>/read/",
        limited("recognise", reading_pages.reader)(reading_pages.read),
        name="application-read",
    ),
    path("application/documents/<str:file>/", document_pages.look, name="application-paper"),
    path(
        "application/documents/<str:file>/picture/",
        document_pages.picture,
        name="application-picture",
    ),
    path(
        "application/documents/<str:file>/download/",
        document_pages.download,
        name="application-file",
    ),
    path("papers/", paper_pages.papers, name="papers"),
    path("papers/confirm/", confirm_pages.confirm, name="confirm"),
    path(
        "application/sections/<str:section>/",
        application_pages.section,
        name="application-section",
    ),
    path("tickets/", ticket_pages.tickets, name="tickets"),
    path("tickets/new/", ticket_pages.new, name="ticket-new"),
    path("tickets/<str:ticket>/", ticket_pages.ticket, name="ticket"),
    path("tickets/<str:ticket>/act/", ticket_pages.act, name="ticket-act"),
    path("approvals/", approval_pages.approvals, name="approvals"),
    path("approvals/<str:approval>/", approval_pages.approval, name="approval"),
    path("approvals/<str:approval>/decide/", approval_pages.decide, name="decide"),
]
