"""Customers, their ownership, and the customer pool they wait in."""
