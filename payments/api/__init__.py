"""The REST face: what merchants' programs call."""
