"""A business applies to become a merchant: what it states, what proves it, and who decides."""
