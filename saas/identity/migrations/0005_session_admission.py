"""A session's row says itself what its membership allows; only the company is looked up beside it.

Every request asks for the stamp. Found through session, membership and company by a function it was a third of what
PostgreSQL spends on an object by its id. What a membership says changes seldom: then its sessions are told, and one
that begins meanwhile waits, since it locks its membership. The company's version stays where it is: a change of it
would have to be told to every session that its people ever had.

A reading statement asks the view `presented_session`, which shows the one session whose hash the statement has set as
``app.session``, and so no more than the function does, whoever reads it.
"""

from tortoise import fields
from tortoise.migrations import operations as ops

from tenants.schema import APP, PLATFORM, RoomMigration

_ADMIT = """
CREATE FUNCTION platform.admit_session() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, platform AS $function$
BEGIN
    SELECT m.version, m.valid_from, m.valid_to INTO NEW.member_version, NEW.admitted_from, NEW.admitted_until
      FROM platform.membership m
     WHERE m.tenant_id = NEW.tenant_id AND m.account_id = NEW.account_id FOR NO KEY UPDATE;
    RETURN NEW;
END
$function$
"""
_TELL = """
CREATE FUNCTION platform.tell_sessions() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, platform AS $function$
BEGIN
    UPDATE platform.session s
       SET member_version = NEW.version, admitted_from = NEW.valid_from, admitted_until = NEW.valid_to
     WHERE s.id IN (SELECT o.id FROM platform.session o
                     WHERE o.tenant_id = NEW.tenant_id AND o.account_id = NEW.account_id AND o.revoked_at IS NULL
                     ORDER BY o.id FOR NO KEY UPDATE);
    RETURN NULL;
END
$function$
"""
_TRIGGERS = (
    """CREATE TRIGGER admit BEFORE INSERT OR UPDATE OF tenant_id, account_id ON platform.session
        FOR EACH ROW EXECUTE FUNCTION platform.admit_session()""",
    """CREATE TRIGGER tell_sessions AFTER UPDATE OF version, valid_from, valid_to ON platform.membership
        FOR EACH ROW EXECUTE FUNCTION platform.tell_sessions()""",
)
_FILL = """
UPDATE platform.session s
   SET member_version = m.version, admitted_from = m.valid_from, admitted_until = m.valid_to
  FROM platform.membership m WHERE m.tenant_id = s.tenant_id AND m.account_id = s.account_id
"""

_LIVE = """s.revoked_at IS NULL
       AND s.access_expires_at > {at} AND s.idle_expires_at > {at} AND s.expires_at > {at}
       -- a minute's leniency: the clocks of the web process that wrote it and of the database may differ
       AND s.admitted_from <= {at} + interval '1 minute' AND (s.admitted_until IS NULL OR s.admitted_until > {at})"""
_STAMP = "right(s.id::text, 12) || '.' || t.version || '.' || s.member_version"
_MARKED = f"""{_STAMP}
       -- the mark differs from every stamp a caller holds: once a minute the session is looked up again, and so seen
       || CASE WHEN {{at}} - s.last_seen_at >= interval '1 minute' THEN '.unseen' ELSE '' END"""
_OF_ACTIVE_COMPANY = """platform.session s
  CROSS JOIN LATERAL (
        SELECT t.version FROM platform.tenant t WHERE t.id = s.tenant_id AND t.status = 'active' OFFSET 0) t"""

_FUNCTION = f"""
CREATE OR REPLACE FUNCTION platform.session_stamp(presented bytea, at timestamptz DEFAULT now()) RETURNS text
LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
SET search_path = pg_catalog, platform SET enable_seqscan = off SET enable_bitmapscan = off AS $function$
BEGIN
    RETURN (SELECT {_MARKED.format(at="$2")} FROM {_OF_ACTIVE_COMPANY}
             WHERE s.token_hash = $1 AND {_LIVE.format(at="$2")});
END
$function$
"""
_VIEW = f"""
CREATE VIEW platform.presented_session WITH (security_barrier = true) AS
SELECT {_MARKED.format(at="now()")} AS stamp FROM {_OF_ACTIVE_COMPANY}
 WHERE s.token_hash = decode(current_setting('app.session', true), 'hex') AND {_LIVE.format(at="now()")}
"""


class Migration(RoomMigration):
    dependencies = [("identity", "0004_session_currency")]

    operations = [
        ops.AddField("Session", "member_version", fields.BigIntField(null=True)),
        ops.AddField("Session", "admitted_from", fields.DatetimeField(null=True)),
        ops.AddField("Session", "admitted_until", fields.DatetimeField(null=True)),
        ops.RunSQL(
            [
                _ADMIT,
                _TELL,
                "REVOKE ALL ON FUNCTION platform.admit_session(), platform.tell_sessions() FROM PUBLIC",
                *_TRIGGERS,
                _FILL,
                _FUNCTION,
                _VIEW,
                f"GRANT SELECT ON platform.presented_session TO {APP}, {PLATFORM}",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
    ]
