"""Files that prove something: checked, scanned, sealed each under its own key."""
