"""Each action of the trail as a sentence for people. A test holds this table against the code."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: Final[Mapping[str, Promise]] = {
    "access.refused": _("Was refused a page that their role does not open."),
    "alarm.glass_broken": _("Alarm: executed a request alone, in an emergency."),
    "alarm.request_tampered": _("Alarm: a stored request was changed in the database."),
    "alarm.superuser_signed_in": _("Alarm: signed in to the account for emergencies."),
    "api_key.created": _("Created an API key."),
    "api_key.revoked": _("Revoked an API key."),
    "approval.agreed": _("Agreed to a request."),
    "approval.cancelled": _("Withdrew a request."),
    "approval.executed": _("Executed a request that had been agreed to."),
    "approval.expired": _("A request ran out of time."),
    "approval.glass_reviewed": _("Reviewed what was done alone in an emergency."),
    "approval.refused": _("Tried to decide a request, and a rule stopped it."),
    "approval.rejected": _("Rejected a request."),
    "approval.requested": _("Asked for something that another person must agree to."),
    "approval.stale": _("A request was overtaken by a change."),
    "approval.void": _("A request became void."),
    "attempt.abandoned": _("A try on a channel was given up before it got there."),
    "attempt.closed": _("A try on a channel was closed without payment."),
    "attempt.contradicted": _("A channel's authentic message differs from our order."),
    "attempt.created": _("Began a try on a channel."),
    "attempt.failed": _("A try on a channel failed."),
    "attempt.unresolved": _("A channel has not given a final answer after many questions."),
    "audit.exported": _("Took a part of the audit trail out."),
    "callback_secret.rotated": _("Replaced the secret that signs callbacks."),
    "channel.configured": _("Set up the connection to a channel."),
    "data.reveal_refused": _("Asked to see protected data and was refused."),
    "data.revealed": _("Saw protected data in full."),
    "event.replayed": _("Had a callback sent again."),
    "keys.rotation_begun": _("Began to replace encryption keys."),
    "keys.rotation_finished": _("Finished replacing encryption keys."),
    "member.added": _("Added a person to a merchant's team."),
    "merchant.active": _("Let a merchant work again."),
    "merchant.registered": _("Registered a merchant."),
    "merchant.suspended": _("Suspended a merchant."),
    "payment.close_requested": _("Asked for a payment to be closed."),
    "payment.closed": _("A payment was closed without being paid."),
    "payment.created": _("Created a payment."),
    "payment.late_success": _("Money came after the payment had ended; it goes back."),
    "payment.paid": _("A payment was paid."),
    "person.added": _("Added a person."),
    "person.changed": _("Changed a person's account."),
    "person.email_changed": _("A person's e-mail address was changed."),
    "person.invited": _("Invited a person by letter."),
    "person.joined": _("Chose a first password and joined."),
    "person.password_changed": _("Changed their own password."),
    "person.password_link_sent": _("A link for a new password was sent."),
    "refund.failed": _("A refund failed."),
    "refund.succeeded": _("Money went back to the customer."),
    "role.granted": _("Gave a person a role."),
    "role.revoked": _("Took a role away from a person."),
    "second_factor.enrolled": _("Enrolled an authenticator."),
    "second_factor.refused": _("Typed a wrong code at sign-in."),
    "second_factor.removed": _("Took an authenticator away."),
    "session.ended": _("A session was ended."),
    "signin.ended": _("Signed out."),
    "signin.failed": _("Typed a wrong password, or a name that nobody has."),
    "signin.link_sent": _("A link to sign in was sent."),
    "signin.locked": _("Tried too many passwords; the door was closed for a while."),
    "signin.succeeded": _("Signed in with password and second factor."),
    "stepup.passed": _("Showed the second factor again for one deed."),
    "stepup.refused": _("Typed a wrong code when asked for the second factor again."),
}


def sentence(action: str) -> str:
    """The action for people; the bare action for one of an older or a newer platform."""
    return str(SENTENCES.get(action, action))
