"""What was done and by whom, never changed afterwards, and proof of that."""
