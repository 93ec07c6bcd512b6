"""Row scopes of the exchange room: a batch is seen by who uploaded it, or by all who may see every batch."""

from __future__ import annotations

_OWN_BATCHES = "(SELECT own.id FROM import_batch own WHERE own.tenant_id = {tenant} AND own.employee_id = {employee})"
_OWN_PARTS = (
    "(SELECT part.id FROM import_part part WHERE part.tenant_id = {tenant} AND part.batch_id IN " + _OWN_BATCHES + ")"
)

BATCH_SCOPES = {"all": "true", "self": "{t}.employee_id = {employee}"}
OF_BATCH_SCOPES = {"all": "true", "self": "{t}.batch_id IN " + _OWN_BATCHES}
OF_PART_SCOPES = {"all": "true", "self": "{t}.part_id IN " + _OWN_PARTS}
