"""What a formula, a sheet and a table may be at most; each is enforced before the work that it bounds."""

from __future__ import annotations

from decimal import Decimal

TEXT_LONGEST = 4_000
"""Characters of one formula."""

TOKENS_MOST = 1_000
"""Numbers, names, signs and brackets of one formula."""

DEPTH_MOST = 40
"""Levels: operators, functions and brackets inside one another. A chain such as ``a + b + c`` is one level."""

NODES_MOST = 500
"""Numbers, names, chains and functions of one formula."""

NAME_LONGEST = 60
"""Characters of a declared name or alias."""

PROBLEMS_MOST = 20
"""Problems that are told of at once; the rest shows once these are put right."""

NUMBER_DIGITS = 40
"""Digits of a written number, so that each is held exactly."""

MAGNITUDE_DIGITS = 24
MAGNITUDE = Decimal(1).scaleb(MAGNITUDE_DIGITS)
"""Every number, given or computed, stays below this in absolute value."""

ROUNDING_DIGITS = 12
"""Rounding takes from -12 to 12 digits behind the point."""

COMPONENTS_MOST = 500
"""Formulas of one sheet."""

COLUMNS_MOST = 12
ROWS_MOST = 500
"""Columns (of inputs, of outcomes) and rows of one decision table."""

CELL_LONGEST = 1_000
"""Characters of one cell of a decision table."""
