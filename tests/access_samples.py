"""A catalogue of fields as the rooms declare them, for tests of rights."""

from __future__ import annotations

from saas.access import PERMISSIONS, AccessCatalogue

PERSONAL, PAY, STRUCTURAL = "!", "$", "*"
_CLASSES = {PERSONAL: "personal", PAY: "pay"}
_FIELDS = {
    "Customer": "name shortName status* industry districtCode phone! address! owner pool receivedOn followUps",
    "CustomerPool": "name claimLimit",
    "Ownership": "customer owner startedAt endedAt",
    "OwnershipRequest": "customer employee kind* state* reason",
    "FollowUp": "customer author kind* content occurredAt*",
    "Employee": "name number position status* hiredOn leftOn phone! email! baseSalary$ department",
    "EmployeeLeave": "employee firstOn lastOn kind enteredAt cancelledAt",
    "Department": "name parent employees",
    "LegalEntity": "name",
    "Payslip": "state* month employee document$",
    "Accrual": "employee kind* base$ amount$",
    "Statement": "employee payable$",
    "AuditEntry": "at* action* objectType changes",
    "Role": "name parent",
    "AccessRule": "role object action",
}
_ROW_SCOPES = {
    "Customer": ("all", "department", "self", "pool"),
    "Ownership": ("all", "department", "self"),
    "OwnershipRequest": ("all", "department", "self"),
    "FollowUp": ("all", "department", "self", "owned"),
    "Employee": ("all", "department", "self"),
    "EmployeeLeave": ("all", "department", "self"),
    "Payslip": ("all", "self"),
    "Accrual": ("all", "department", "self"),
    "Statement": ("all", "department", "self"),
}


def catalogue() -> AccessCatalogue:
    """Fifteen types; ``!`` marks personal fields, ``$`` pay, ``*`` structural ones."""
    fields = [
        (type_name, mark.rstrip("!$*"), _CLASSES.get(mark[-1], "internal"), mark.endswith(STRUCTURAL))
        for type_name, marks in _FIELDS.items()
        for mark in marks.split()
    ]
    scopes = {name: _ROW_SCOPES.get(name, ("all",)) for name in _FIELDS}
    return AccessCatalogue(fields, permissions=PERMISSIONS, scopes=scopes)
