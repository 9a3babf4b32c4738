"""What the database itself refuses, whoever asks: by service, by admin, by raw SQL.

Money fields change only together with a new version, back in DRAFT; states move along their
table; APPROVED and SENDING need a complete request for the exact version and digest, counted
from the decisions; decisions, versions and dispatches are kept for ever. The tables below are
those of `payments.states` when this was written; a test compares them.
"""

from django.db import migrations

GUARDS = r"""
CREATE FUNCTION payments_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is kept for ever: % is refused.', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION payments_request_is_satisfied(wanted payments_approvalrequest) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT jsonb_array_length(wanted.steps) > 0 AND NOT EXISTS (
        SELECT 1 FROM jsonb_array_elements(wanted.steps) needed
        WHERE (needed->>'required')::int > (
            SELECT count(DISTINCT d.person_id) FROM payments_decision d
            WHERE d.request_id = wanted.id AND d.verdict = 'APPROVE' AND d.digest = wanted.digest
                AND d.step = (needed->>'order')::int))
$$;

CREATE FUNCTION payments_is_approved(payment bigint, of_version int, of_digest text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM payments_approvalrequest r
        WHERE r.payment_id = payment AND r.version = of_version AND r.digest = of_digest
            AND r.state = 'COMPLETE' AND payments_request_is_satisfied(r))
$$;

CREATE FUNCTION payments_payment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    money_changed boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'DRAFT' OR NEW.version <> 1 THEN
            RAISE EXCEPTION 'Payment % must begin as version 1 in DRAFT.', NEW.reference
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.reference, NEW.created_by_id, NEW.created_at, NEW.source)
        IS DISTINCT FROM (OLD.reference, OLD.created_by_id, OLD.created_at, OLD.source) THEN
        RAISE EXCEPTION 'Reference and origin of payment % never change.', OLD.reference
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) <> ALL (ARRAY[
            'DRAFT>CANCELLED', 'DRAFT>SUBMITTED',
            'SUBMITTED>APPROVED', 'SUBMITTED>CANCELLED', 'SUBMITTED>DRAFT', 'SUBMITTED>REJECTED',
            'APPROVED>CANCELLED', 'APPROVED>DRAFT', 'APPROVED>SENDING',
            'SENDING>APPROVED', 'SENDING>BANK_APPROVAL', 'SENDING>FAILED', 'SENDING>PROCESSING', 'SENDING>RETURNED', 'SENDING>SETTLED', 'SENDING>UNKNOWN',
            'PROCESSING>BANK_APPROVAL', 'PROCESSING>FAILED', 'PROCESSING>RETURNED', 'PROCESSING>SETTLED', 'PROCESSING>UNKNOWN',
            'BANK_APPROVAL>FAILED', 'BANK_APPROVAL>PROCESSING', 'BANK_APPROVAL>RETURNED', 'BANK_APPROVAL>SETTLED', 'BANK_APPROVAL>UNKNOWN',
            'UNKNOWN>APPROVED', 'UNKNOWN>BANK_APPROVAL', 'UNKNOWN>FAILED', 'UNKNOWN>PROCESSING', 'UNKNOWN>RETURNED', 'UNKNOWN>SETTLED',
            'SETTLED>RETURNED'
        ]) THEN
        RAISE EXCEPTION 'Payment % cannot go from % to %.', OLD.reference, OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    money_changed := (NEW.account_id, NEW.kind, NEW.beneficiary_id, NEW.own_account_id, NEW.payee_name,
            NEW.payee_account, NEW.payee_bank_code, NEW.payee_bank_name, NEW.payee_country, NEW.amount,
            NEW.currency, NEW.execute_on, NEW.purpose, NEW.urgent)
        IS DISTINCT FROM (OLD.account_id, OLD.kind, OLD.beneficiary_id, OLD.own_account_id, OLD.payee_name,
            OLD.payee_account, OLD.payee_bank_code, OLD.payee_bank_name, OLD.payee_country, OLD.amount,
            OLD.currency, OLD.execute_on, OLD.purpose, OLD.urgent);
    IF money_changed AND NOT (NEW.state = 'DRAFT' AND NEW.version = OLD.version + 1) THEN
        RAISE EXCEPTION 'The money fields of payment % (%) change only as a new version in DRAFT.',
            OLD.reference, OLD.state USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.version <> OLD.version) <> (NEW.digest <> OLD.digest)
        OR NEW.version NOT IN (OLD.version, OLD.version + 1)
        OR (NEW.version <> OLD.version AND NEW.state <> 'DRAFT') THEN
        RAISE EXCEPTION 'Version and digest of payment % grow together, by one, in DRAFT.', OLD.reference
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state THEN
        IF NEW.state = 'DRAFT' AND NEW.version = OLD.version THEN
            RAISE EXCEPTION 'Payment % goes back to DRAFT only as a new version.', OLD.reference
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.state IN ('DRAFT', 'CANCELLED', 'REJECTED') AND EXISTS (
            SELECT 1 FROM payments_approvalrequest r
            WHERE r.payment_id = NEW.id AND r.state IN ('OPEN', 'COMPLETE')) THEN
            RAISE EXCEPTION 'Payment % still has a live approval request.', OLD.reference
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.state = 'SUBMITTED' AND NOT EXISTS (
            SELECT 1 FROM payments_approvalrequest r
            WHERE r.payment_id = NEW.id AND r.version = NEW.version AND r.digest = NEW.digest
                AND r.state = 'OPEN') THEN
            RAISE EXCEPTION 'Payment % is submitted only with an open approval request.', OLD.reference
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.state IN ('APPROVED', 'SENDING') AND NOT payments_is_approved(NEW.id, NEW.version, NEW.digest) THEN
            RAISE EXCEPTION 'Payment % lacks a complete approval of version %.', OLD.reference, NEW.version
                USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_payment_guard BEFORE INSERT OR UPDATE ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_payment_guard();

CREATE FUNCTION payments_request_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'OPEN' THEN
            RAISE EXCEPTION 'An approval request begins OPEN.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (to_jsonb(NEW) - 'state' - 'closed_at' - 'due_role')
        <> (to_jsonb(OLD) - 'state' - 'closed_at' - 'due_role') THEN
        RAISE EXCEPTION 'What approval request % asks never changes.', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) <> ALL (ARRAY[
            'OPEN>COMPLETE', 'OPEN>REJECTED', 'OPEN>SENT_BACK', 'OPEN>VOID',
            'COMPLETE>VOID'
        ]) THEN
        RAISE EXCEPTION 'Approval request % cannot go from % to %.', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'COMPLETE' AND NOT payments_request_is_satisfied(NEW) THEN
        RAISE EXCEPTION 'Approval request % lacks decisions.', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_request_guard BEFORE INSERT OR UPDATE ON payments_approvalrequest
    FOR EACH ROW EXECUTE FUNCTION payments_request_guard();

CREATE FUNCTION payments_decision_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM payments_approvalrequest r
        WHERE r.id = NEW.request_id AND r.state = 'OPEN' AND r.digest = NEW.digest) THEN
        RAISE EXCEPTION 'A decision needs an open request with the same digest.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (
        SELECT 1 FROM payments_approvalrequest r JOIN payments_payment p ON p.id = r.payment_id
        WHERE r.id = NEW.request_id AND (NEW.person_id IN (p.created_by_id, p.edited_by_id, p.submitted_by_id)
            OR EXISTS (SELECT 1 FROM payments_paymentversion v
                       WHERE v.payment_id = p.id AND v.made_by_id = NEW.person_id)
            OR EXISTS (SELECT 1 FROM payments_beneficiary b WHERE b.id = p.beneficiary_id
                       AND NEW.person_id IN (b.created_by_id, b.changed_by_id, b.confirmed_by_id)))) THEN
        RAISE EXCEPTION 'Nobody decides on what they had a hand in.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_decision_guard BEFORE INSERT ON payments_decision
    FOR EACH ROW EXECUTE FUNCTION payments_decision_guard();

CREATE FUNCTION payments_beneficiary_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'PENDING' THEN
            RAISE EXCEPTION 'A beneficiary begins PENDING.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.company_id, NEW.name, NEW.account_number, NEW.bank_code, NEW.bank_name, NEW.country, NEW.currency)
        IS DISTINCT FROM (OLD.company_id, OLD.name, OLD.account_number, OLD.bank_code, OLD.bank_name,
            OLD.country, OLD.currency)
        AND NOT (NEW.version = OLD.version + 1 AND NEW.confirmed_by_id <> NEW.changed_by_id) THEN
        RAISE EXCEPTION 'Data of beneficiary % change only as a new version that two people made.', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) <> ALL (ARRAY[
            'PENDING>ACTIVE', 'PENDING>BLOCKED',
            'ACTIVE>BLOCKED',
            'BLOCKED>ACTIVE'
        ]) OR (NEW.state = 'ACTIVE' AND NEW.confirmed_by_id IS NULL) THEN
        RAISE EXCEPTION 'Beneficiary % cannot go from % to %.', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_beneficiary_guard BEFORE INSERT OR UPDATE ON payments_beneficiary
    FOR EACH ROW EXECUTE FUNCTION payments_beneficiary_guard();
"""

KEPT = {  # table: what is refused row by row
    "payment": "DELETE",
    "paymentversion": "UPDATE OR DELETE",
    "approvalrequest": "DELETE",
    "decision": "UPDATE OR DELETE",
    "dispatch": "DELETE",
    "beneficiary": "DELETE",
}
KEEP = "".join(
    f"""
CREATE TRIGGER payments_{table}_is_kept BEFORE {acts} ON payments_{table}
    FOR EACH ROW EXECUTE FUNCTION payments_refuse();
CREATE TRIGGER payments_{table}_no_truncate BEFORE TRUNCATE ON payments_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse();
"""
    for table, acts in KEPT.items()
)
UNGUARD = (
    "".join(
        f"DROP TRIGGER payments_{table}_is_kept ON payments_{table};"
        f" DROP TRIGGER payments_{table}_no_truncate ON payments_{table};"
        for table in KEPT
    )
    + """
DROP TRIGGER payments_payment_guard ON payments_payment;
DROP TRIGGER payments_request_guard ON payments_approvalrequest;
DROP TRIGGER payments_decision_guard ON payments_decision;
DROP TRIGGER payments_beneficiary_guard ON payments_beneficiary;
DROP FUNCTION payments_payment_guard();
DROP FUNCTION payments_request_guard();
DROP FUNCTION payments_decision_guard();
DROP FUNCTION payments_beneficiary_guard();
DROP FUNCTION payments_is_approved(bigint, int, text);
DROP FUNCTION payments_request_is_satisfied(payments_approvalrequest);
DROP FUNCTION payments_refuse();
"""
)


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]
    operations = [migrations.RunSQL(GUARDS + KEEP, UNGUARD)]
