"""Starts the whole platform from a fresh checkout, and its tests.

Standard library only: it runs before the virtual environment exists. It supervises processes
itself because a Procfile runner ends all of them when one ends, and a payment platform must
outlive a killed worker.
"""
