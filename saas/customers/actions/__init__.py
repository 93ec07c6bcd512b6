"""Writes of the customers room: customers and their ownership, pools and their rules."""
