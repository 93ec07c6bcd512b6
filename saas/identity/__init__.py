"""Accounts, sign-in, sessions and tokens: what turns a request into an Actor."""
