"""Merchants, their members, their API keys and their callback secret."""
