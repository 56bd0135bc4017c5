"""Names of merchants and their people, compared with lists of those whom one may not serve."""
