"""No module grows past what can be read in one sitting."""

from __future__ import annotations

from pathlib import Path

import saas

ROOT = Path(saas.__file__).parent.parent
LONGEST = 400


def test_no_module_is_longer_than_400_lines() -> None:
    modules = [path for folder in ("saas", "tenants", "plugins") for path in (ROOT / folder).rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in modules}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}
    assert len(lengths) > 100
