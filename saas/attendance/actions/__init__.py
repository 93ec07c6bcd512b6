"""Writes of the attendance room, by subject."""
