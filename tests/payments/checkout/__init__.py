"""The hosted checkout as its customer sees it."""
