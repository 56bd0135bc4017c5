"""The merchant's pages of this storey: the day, payments, and callbacks."""
