"""How a company comes aboard: one transaction from its name to its owner's first session."""
