"""Tables of the audit room."""
