"""Support: help pages for customers and merchants, and tickets that people of ours answer."""
