"""A session also tells the company's currency, which every amount that it reads is in.

The look-up says what `0002_session_functions` says, and one column more; a function's columns can't be added to.
"""

from tortoise.migrations import operations as ops

from tenants.schema import APP, PLATFORM, RoomMigration

_LOOKUP = """
CREATE FUNCTION platform.session_lookup(presented bytea, at timestamptz DEFAULT now())
RETURNS TABLE (session_id uuid, account_id uuid, tenant_id uuid, employee_id uuid, roles text[], locale text,
               time_zone text, currency text, stamp text, unseen boolean)
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, platform AS $function$
    SELECT s.id, s.account_id, s.tenant_id, m.employee_id, m.roles,
           (SELECT a.locale FROM platform.account a WHERE a.id = s.account_id), t.time_zone, t.currency,
           right(s.id::text, 12) || '.' || t.version || '.' || m.version,
           $2 - s.last_seen_at >= interval '1 minute'
      FROM platform.session s
      JOIN platform.membership m ON m.tenant_id = s.tenant_id AND m.account_id = s.account_id
      JOIN platform.tenant t ON t.id = s.tenant_id
     WHERE s.token_hash = $1 AND s.revoked_at IS NULL
       AND s.access_expires_at > $2 AND s.idle_expires_at > $2 AND s.expires_at > $2
       -- a minute's leniency: the clocks of the web process that wrote it and of the database may differ
       AND m.valid_from <= $2 + interval '1 minute' AND (m.valid_to IS NULL OR m.valid_to > $2)
       AND t.status = 'active'
$function$
"""


class Migration(RoomMigration):
    dependencies = [("identity", "0003_session_stamp_by_keys"), ("tenants", "0003_currency")]

    operations = [
        ops.RunSQL(
            [
                "DROP FUNCTION platform.session_lookup(bytea, timestamptz)",
                _LOOKUP,
                "REVOKE ALL ON FUNCTION platform.session_lookup(bytea, timestamptz) FROM PUBLIC",
                f"GRANT EXECUTE ON FUNCTION platform.session_lookup(bytea, timestamptz) TO {APP}, {PLATFORM}",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]
