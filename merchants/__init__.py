"""Who: merchants, the people and keys that act for them, and what these may do."""
