"""UnionPay: what we sign and believe, what its answers mean, and the two sides against each other."""
