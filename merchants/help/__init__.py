"""Pages of support for people without a sign-in: help, asking, and a customer's talk."""
