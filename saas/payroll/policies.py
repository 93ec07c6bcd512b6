"""Row scopes of the payroll room: scope name → predicate over the row ``{t}``."""

from __future__ import annotations

PAYSLIP_SCOPES = {
    "all": "true",
    "self": "{t}.employee_id = {employee} AND {t}.published_at IS NOT NULL",
}
"""Everybody's payslips, or the published ones of one's own."""

PAY_PERIOD_SCOPES = {"all": "true"}
RUN_SCOPES = {"all": "true"}
TOTAL_SCOPES = {"all": "true"}
STRUCTURE_SCOPES = {"all": "true"}
