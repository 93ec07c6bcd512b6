"""Writes of the incentives room, a file per subject."""
