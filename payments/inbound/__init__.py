"""The inbound face: what gateways call."""
