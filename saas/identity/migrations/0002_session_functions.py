"""What the application role may ask about a session, and nothing else of the schema ``platform``.

The functions run as the owner (SECURITY DEFINER), name every table with its schema and fix the search path.
`at` is the instant that decides; it defaults to the database's clock. The stamp, which every request asks, is
PL/pgSQL because that keeps its plan on every supported server (SQL functions do only since PostgreSQL 18).
"""

from tortoise.migrations import operations as ops

from tenants.schema import APP, PLATFORM, RoomMigration

_LIVE = """
      FROM platform.session s
      JOIN platform.membership m ON m.tenant_id = s.tenant_id AND m.account_id = s.account_id
      JOIN platform.tenant t ON t.id = s.tenant_id
     WHERE s.token_hash = $1 AND s.revoked_at IS NULL
       AND s.access_expires_at > $2 AND s.idle_expires_at > $2 AND s.expires_at > $2
       -- a minute's leniency: the clocks of the web process that wrote it and of the database may differ
       AND m.valid_from <= $2 + interval '1 minute' AND (m.valid_to IS NULL OR m.valid_to > $2)
       AND t.status = 'active'
"""
_STAMP = "right(s.id::text, 12) || '.' || t.version || '.' || m.version"
_UNSEEN = "$2 - s.last_seen_at >= interval '1 minute'"

STAMP = f"""
CREATE FUNCTION platform.session_stamp(presented bytea, at timestamptz DEFAULT now()) RETURNS text
LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, platform AS $function$
BEGIN
    -- the mark differs from every stamp a caller holds: once a minute the session is looked up again, and so seen
    RETURN (SELECT {_STAMP} || CASE WHEN {_UNSEEN} THEN '.unseen' ELSE '' END {_LIVE});
END
$function$
"""

LOOKUP = f"""
CREATE FUNCTION platform.session_lookup(presented bytea, at timestamptz DEFAULT now())
RETURNS TABLE (session_id uuid, account_id uuid, tenant_id uuid, employee_id uuid, roles text[], locale text,
               time_zone text, stamp text, unseen boolean)
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, platform AS $function$
    SELECT s.id, s.account_id, s.tenant_id, m.employee_id, m.roles,
           (SELECT a.locale FROM platform.account a WHERE a.id = s.account_id), t.time_zone, {_STAMP}, {_UNSEEN}
    {_LIVE}
$function$
"""

TOUCH = """
CREATE FUNCTION platform.session_touch(presented bytea, at timestamptz DEFAULT now()) RETURNS void
LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, platform AS $function$
    UPDATE platform.session
       SET last_seen_at = $2, idle_expires_at = $2 + make_interval(secs => idle_seconds)
     WHERE token_hash = $1 AND revoked_at IS NULL AND idle_expires_at > $2 AND last_seen_at < $2
$function$
"""

_NAMES = ("session_stamp", "session_lookup", "session_touch")


class Migration(RoomMigration):
    dependencies = [("identity", "0001_identity")]

    operations = [
        ops.RunSQL(
            [
                STAMP,
                LOOKUP,
                TOUCH,
                f"GRANT USAGE ON SCHEMA platform TO {APP}",
                *(f"REVOKE ALL ON FUNCTION platform.{name}(bytea, timestamptz) FROM PUBLIC" for name in _NAMES),
                *(
                    f"GRANT EXECUTE ON FUNCTION platform.{name}(bytea, timestamptz) TO {APP}, {PLATFORM}"
                    for name in _NAMES
                ),
            ],
            reverse_sql=[f"DROP FUNCTION platform.{name}(bytea, timestamptz)" for name in _NAMES],
        ),
    ]
