"""Tables of the sealing room."""
