"""The gateways as played on this machine: for demonstrations and tests, never in production."""
