"""Writes of the exchange room: staging, the deeds of people, the steps that carry them out, the error file."""
