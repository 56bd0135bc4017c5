"""Periodic compliance reports: one snapshot of the data, one PDF, two people, one signature."""
