"""People, their second factors, and how they sign in."""
