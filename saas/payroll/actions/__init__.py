"""Writes of the payroll room: structures, assignments and one-off amounts; runs from opening to publication."""
