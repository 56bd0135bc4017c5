"""Payments, the attempts to get them paid, and refunds. The only room that moves their states."""
