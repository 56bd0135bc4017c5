"""Maker and checker: what one person may only ask for, and another agrees to or refuses."""
