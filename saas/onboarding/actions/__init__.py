"""Writes of the onboarding room: a company signs up, a person accepts an invitation."""
