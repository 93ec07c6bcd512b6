"""Writes of the people room: the company's beginning, its departments and staff, and staff that comes in sheets."""
