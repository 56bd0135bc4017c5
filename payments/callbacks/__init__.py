"""What we tell merchants: events, written beside the change they tell of, and their delivery to the
addresses that payments name and to merchants' endpoints.

Decided here, where the standard is silent: an address that a payment names comes beside the
endpoints, and instead of those that yield to it; it is signed with the merchant's default secret.
An endpoint that is switched off is owed nothing new, and what waited for it is given up: its owner
has it sent again. Health is judged by real events, never by tests.
"""
