"""Compliance officers' pages."""
