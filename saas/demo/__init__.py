"""The demonstration company: made from a seed, shown through the public API."""
