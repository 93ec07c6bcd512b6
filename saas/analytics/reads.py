"""How the audit trail is read."""

from __future__ import annotations

from saas.reads.mapping import Column, FilterOp, ListRoot, ReadType, RoomReads, ScalarKind, ToOne, ToUnion

audit_entry = ReadType(
    name="AuditEntry",
    table="audit_entry",
    prefix="aud",
    doc="Who did what, when and from where (审计日志); never changed.",
    scopes={"all": "true"},
    fields=(
        Column(
            "at",
            ScalarKind.DATETIME,
            "at",
            "When it was written.",
            structural=True,
            filters=frozenset({FilterOp.GTE, FilterOp.LT}),
            orderable=True,
        ),
        Column("action", ScalarKind.STRING, "action", "What was done, e.g. customer.claimed.", structural=True),
        Column("outcome", ScalarKind.STRING, "outcome", "done, refused or failed.", structural=True),
        Column("objectType", ScalarKind.STRING, "object_type", "The type of what it was done to.", structural=True),
        ToUnion(
            "object",
            "AuditedObject",
            ("Customer", "Employee", "FollowUp", "Department", "LegalEntity"),
            "object_type",
            "object_id",
            "What it was done to, where it is of a type that can be read and the caller may see it.",
        ),
        ToOne("employee", "Employee", "employee_id", "Who did it, where they are on the staff."),
        Column("reason", ScalarKind.STRING, "reason", "The reason that was given."),
        Column("client", ScalarKind.STRING, "client", "The program it came through."),
        Column("address", ScalarKind.STRING, "address", "The network address it came from."),
        Column("requestId", ScalarKind.STRING, "request_id", "The request, as the log has it."),
    ),
)

reads = RoomReads(
    types=(audit_entry,),
    roots=(ListRoot("auditEntries", "AuditEntry", "AT_DESC", "The trail, the newest first."),),
)
