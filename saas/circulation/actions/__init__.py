"""Writes of the circulation room, a file per subject."""
