"""What is secret: sealed columns and their keys."""
