"""Tables of the extensions room."""
