"""UnionPay: what we sign and believe, what its answers mean, and both sides together."""
