"""The demonstration: people, merchants, sandbox channels and ninety days of history. Demo mode
only.
"""
