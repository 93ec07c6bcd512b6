"""Tables of the identity room."""
