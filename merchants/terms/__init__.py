"""How long a merchant's papers are good, what follows when they run out, and renewals."""
