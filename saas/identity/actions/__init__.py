"""Writes of the identity room, one module per noun: the room is too wide for one file."""
