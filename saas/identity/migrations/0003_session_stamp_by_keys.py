"""The session's stamp by three look-ups in a fixed order, whatever the statistics say.

Every request asks for it, and each connection keeps the plan that it made first, often while the tables were all but
empty: then a join reads all memberships of the company, or all sessions, forty to a hundred microseconds more.
"""

from tortoise.migrations import operations as ops

from tenants.schema import RoomMigration

_STAMP = """
CREATE OR REPLACE FUNCTION platform.session_stamp(presented bytea, at timestamptz DEFAULT now()) RETURNS text
LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
SET search_path = pg_catalog, platform SET enable_seqscan = off SET enable_bitmapscan = off AS $function$
BEGIN
    RETURN (
        SELECT right(s.id::text, 12) || '.' || t.version || '.' || m.version
            -- the mark differs from every stamp a caller holds: once a minute the session is looked up again, so seen
            || CASE WHEN $2 - s.last_seen_at >= interval '1 minute' THEN '.unseen' ELSE '' END
          FROM platform.session s
         CROSS JOIN LATERAL (
            SELECT m.version FROM platform.membership m
             WHERE m.tenant_id = s.tenant_id AND m.account_id = s.account_id
               -- a minute's leniency: the clocks of the web process that wrote it and of the database may differ
               AND m.valid_from <= $2 + interval '1 minute' AND (m.valid_to IS NULL OR m.valid_to > $2) OFFSET 0
         ) m
         CROSS JOIN LATERAL (
            SELECT t.version FROM platform.tenant t WHERE t.id = s.tenant_id AND t.status = 'active' OFFSET 0
         ) t
         WHERE s.token_hash = $1 AND s.revoked_at IS NULL
           AND s.access_expires_at > $2 AND s.idle_expires_at > $2 AND s.expires_at > $2
    );
END
$function$
"""


class Migration(RoomMigration):
    dependencies = [("identity", "0002_session_functions")]

    operations = [ops.RunSQL(_STAMP, reverse_sql=ops.RunSQL.noop)]
