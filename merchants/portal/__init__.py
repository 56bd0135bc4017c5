"""Merchants' own pages of this storey: keys and team."""
