"""Periodic work: what runs when, how its last runs ended, and running one now."""
