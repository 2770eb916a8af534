"""Positions on the globe."""
