"""The append-only, hash-chained trail of who did what.

Entries are written in the business transaction; a chainer links committed ones in order.
"""
