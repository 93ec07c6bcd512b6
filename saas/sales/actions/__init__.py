"""Writes of the sales room: follow-ups, opportunities, deals and what is credited and received for them, targets."""
