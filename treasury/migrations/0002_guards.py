"""The audit chain's guards: sealing at commit, no update, no delete, no truncate.

The seal runs as a deferred constraint trigger, so the head row is locked only while a commit
finishes: no act holds it during its own work, hence no deadlock and one unbroken line.
"""

from django.db import migrations

SEAL = r"""
CREATE FUNCTION audit_seal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head treasury_audithead%ROWTYPE;
    event treasury_auditevent%ROWTYPE;
    computed text;
BEGIN
    INSERT INTO treasury_audithead (id, position, hash) VALUES (1, 0, repeat('0', 64)) ON CONFLICT DO NOTHING;
    SELECT * INTO head FROM treasury_audithead WHERE id = 1 FOR UPDATE;
    SELECT * INTO event FROM treasury_auditevent WHERE id = NEW.id;
    IF NOT FOUND OR event.hash IS NOT NULL THEN
        RETURN NULL;
    END IF;
    computed := encode(sha256(convert_to(concat_ws(E'\x1f',
        head.hash, head.position + 1, to_char(event.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
        coalesce(event.actor_id::text, ''), event.actor_name, event.action, event.object_type,
        event.object_id, event.object_label, coalesce(event.company_id::text, ''), event.detail,
        coalesce(host(event.ip), '')), 'UTF8')), 'hex');
    UPDATE treasury_auditevent SET position = head.position + 1, previous_hash = head.hash, hash = computed
        WHERE id = event.id;
    UPDATE treasury_audithead SET position = head.position + 1, hash = computed WHERE id = 1;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER audit_seal AFTER INSERT ON treasury_auditevent
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_seal();

CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.hash IS NULL AND OLD.position IS NULL AND pg_trigger_depth() > 1
        AND (to_jsonb(NEW) - 'position' - 'previous_hash' - 'hash')
          = (to_jsonb(OLD) - 'position' - 'previous_hash' - 'hash') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The audit trail is append-only: % of treasury_auditevent is refused.', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON treasury_auditevent
    FOR EACH ROW EXECUTE FUNCTION audit_guard();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON treasury_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_guard();

CREATE FUNCTION audit_head_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() > 1 AND TG_OP <> 'DELETE' AND TG_OP <> 'TRUNCATE' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The head of the audit trail moves only with the trail: % is refused.', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER audit_head_no_change BEFORE INSERT OR UPDATE OR DELETE ON treasury_audithead
    FOR EACH ROW EXECUTE FUNCTION audit_head_guard();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON treasury_audithead
    FOR EACH STATEMENT EXECUTE FUNCTION audit_head_guard();
"""

UNSEAL = """
DROP TRIGGER audit_seal ON treasury_auditevent;
DROP TRIGGER audit_no_change ON treasury_auditevent;
DROP TRIGGER audit_no_truncate ON treasury_auditevent;
DROP TRIGGER audit_head_no_change ON treasury_audithead;
DROP TRIGGER audit_head_no_truncate ON treasury_audithead;
DROP FUNCTION audit_seal();
DROP FUNCTION audit_guard();
DROP FUNCTION audit_head_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("treasury", "0001_initial")]
    operations = [migrations.RunSQL(SEAL, UNSEAL)]
