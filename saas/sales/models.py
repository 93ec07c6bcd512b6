"""Tables of the sales room."""
