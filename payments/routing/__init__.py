"""Which channel serves an attempt: what each offers, which ones fail just now, and why."""
