"""A Django application of the tests: one table with a sealed column and its blind index."""
