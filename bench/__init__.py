"""Measures speed as ratios: ours against a floor that is measured in the same run on the same
machine.
"""
