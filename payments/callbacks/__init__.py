"""What we tell merchants: events, written beside the change they tell of, and their delivery."""
