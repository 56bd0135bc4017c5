"""Reads pictures of documents, so that a person types less. What it reads is proposed, never taken."""
