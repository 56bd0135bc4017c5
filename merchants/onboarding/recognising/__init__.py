"""Reads pictures of documents, so that a person types less. It proposes and never decides."""
