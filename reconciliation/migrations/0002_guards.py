"""What must never be false in reconciliation, held by the database itself.

- The worklist (open lines) follows bookings, matches and undone matches by triggers on whole
  statements, so a million lines cost one pass.
- Lines of a living match sum to the same on both sides, in one account and currency.
- Ledger lines and matches are never edited or deleted; undoing a match is one update of it.
- A closed day takes no new ledger line, loses none, and keeps the matches its sheet counted.
- Who imported a line of the days being closed cannot be the one who closes them.
"""

from django.db import migrations

KEYS = r"""
CREATE FUNCTION reconciliation_reference(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN upper(btrim(given)) IN ('NOTPROVIDED', 'NONREF', 'NOREF') THEN ''
                ELSE upper(btrim(given)) END
$$;

CREATE FUNCTION reconciliation_party(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT regexp_replace(lower(normalize(given, NFKC)), '[][\s!-/:-@\\^_`{-~·•、。《》「」『』【】〔〕…—–-]+', '', 'g')
$$;
"""

WORKLIST = r"""
CREATE FUNCTION reconciliation_bank_booked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reconciliation_openbankline
        (entry_id, account_id, "on", amount, reference, bank_reference, party)
    SELECT n.id, n.account_id, n.booked_on, n.amount, reconciliation_reference(n.reference),
        reconciliation_reference(n.bank_reference), reconciliation_party(n.counterparty_name)
    FROM added n LEFT JOIN reconciliation_ledgeropening o ON o.account_id = n.account_id
    WHERE n.status = 'BOOK' AND n.amount <> 0 AND (o."on" IS NULL OR n.booked_on >= o."on");
    RETURN NULL;
END $$;

CREATE TRIGGER reconciliation_bank_booked AFTER INSERT ON banks_entry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_bank_booked();

CREATE FUNCTION reconciliation_ledger_booked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    late record;
BEGIN
    SELECT n.posted_on, c.day INTO late
    FROM (SELECT account_id, min(posted_on) AS posted_on FROM added GROUP BY account_id) n
    JOIN (SELECT account_id, max("on") AS day FROM reconciliation_close GROUP BY account_id) c
        ON c.account_id = n.account_id AND n.posted_on <= c.day LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'A ledger line of % is refused: the account is closed to %.', late.posted_on, late.day
            USING ERRCODE = 'restrict_violation';
    END IF;
    INSERT INTO reconciliation_openbookline
        (ledger_entry_id, account_id, "on", amount, reference, bank_reference, party)
    SELECT n.id, n.account_id, n.posted_on, n.amount, reconciliation_reference(n.reference),
        reconciliation_reference(n.bank_reference), reconciliation_party(n.counterparty)
    FROM added n WHERE n.live;
    RETURN NULL;
END $$;

CREATE TRIGGER reconciliation_ledger_booked AFTER INSERT ON reconciliation_ledgerentry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_ledger_booked();
"""

LEDGER = r"""
CREATE FUNCTION reconciliation_ledger_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found_day date;
    gone bigint;
    wanted bigint;
BEGIN
    IF EXISTS (SELECT 1 FROM was o JOIN became n ON n.id = o.id
               WHERE (to_jsonb(n) - 'live') <> (to_jsonb(o) - 'live') OR (n.live AND NOT o.live))
       OR (SELECT count(*) FROM was) <> (SELECT count(*) FROM was o JOIN became n ON n.id = o.id) THEN
        RAISE EXCEPTION 'A ledger line is never edited: undo its import and import the corrected file.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT c."on" INTO found_day FROM was o JOIN became n ON n.id = o.id AND o.live AND NOT n.live
        JOIN reconciliation_close c ON c.account_id = o.account_id AND c."on" >= o.posted_on LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'A ledger line cannot be taken back: the account is closed to %.', found_day
            USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT count(*) INTO wanted FROM was o JOIN became n ON n.id = o.id AND o.live AND NOT n.live;
    DELETE FROM reconciliation_openbookline b USING was o, became n
        WHERE n.id = o.id AND o.live AND NOT n.live AND b.ledger_entry_id = o.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone <> wanted THEN
        RAISE EXCEPTION 'A matched ledger line cannot be taken back: undo its match first.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER reconciliation_ledger_changed AFTER UPDATE ON reconciliation_ledgerentry
    REFERENCING OLD TABLE AS was NEW TABLE AS became
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_ledger_changed();

CREATE FUNCTION reconciliation_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Reconciliation keeps its history: % of % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER reconciliation_ledger_no_delete BEFORE DELETE ON reconciliation_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION reconciliation_keeps();
CREATE TRIGGER reconciliation_line_no_delete BEFORE DELETE ON reconciliation_matchedline
    FOR EACH ROW EXECUTE FUNCTION reconciliation_keeps();
CREATE TRIGGER reconciliation_match_no_delete BEFORE DELETE ON reconciliation_match
    FOR EACH ROW EXECUTE FUNCTION reconciliation_keeps();
CREATE TRIGGER reconciliation_close_no_change BEFORE UPDATE OR DELETE ON reconciliation_close
    FOR EACH ROW EXECUTE FUNCTION reconciliation_keeps();
CREATE TRIGGER reconciliation_ledger_no_truncate BEFORE TRUNCATE ON reconciliation_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_keeps();
CREATE TRIGGER reconciliation_line_no_truncate BEFORE TRUNCATE ON reconciliation_matchedline
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_keeps();
CREATE TRIGGER reconciliation_match_no_truncate BEFORE TRUNCATE ON reconciliation_match
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_keeps();
CREATE TRIGGER reconciliation_close_no_truncate BEFORE TRUNCATE ON reconciliation_close
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_keeps();
"""

MATCHES = r"""
CREATE FUNCTION reconciliation_lines_matched() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken_bank bigint;
    taken_book bigint;
    wrong bigint;
BEGIN
    DELETE FROM reconciliation_openbankline o USING added n WHERE o.entry_id = n.entry_id;
    GET DIAGNOSTICS taken_bank = ROW_COUNT;
    DELETE FROM reconciliation_openbookline o USING added n WHERE o.ledger_entry_id = n.ledger_entry_id;
    GET DIAGNOSTICS taken_book = ROW_COUNT;
    IF taken_bank + taken_book <> (SELECT count(*) FROM added) THEN
        RAISE EXCEPTION 'A line of the match is not open: another match holds it, or it was taken back.'
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'matched_line_was_open';
    END IF;
    SELECT m.id INTO wrong
    FROM (SELECT DISTINCT match_id FROM added) t
    JOIN reconciliation_match m ON m.id = t.match_id
    JOIN reconciliation_matchedline l ON l.match_id = m.id
    LEFT JOIN banks_entry e ON e.id = l.entry_id
    LEFT JOIN reconciliation_ledgerentry g ON g.id = l.ledger_entry_id
    GROUP BY m.id
    HAVING count(*) < 2 OR m.undone_at IS NOT NULL OR bool_or(NOT l.live)
        OR coalesce(sum(e.amount), 0) <> m.amount OR coalesce(sum(g.amount), 0) <> m.amount
        OR bool_or(coalesce(e.account_id, g.account_id) <> m.account_id)
        OR count(DISTINCT coalesce(e.currency, g.currency)) > 1
        OR min(coalesce(e.booked_on, g.posted_on)) <> m.first_on
        OR max(coalesce(e.booked_on, g.posted_on)) <> m.last_on
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Match % does not hold: both sides must sum to its amount, in its account and days.',
            wrong USING ERRCODE = 'check_violation', CONSTRAINT = 'match_sums_agree';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER reconciliation_lines_matched AFTER INSERT ON reconciliation_matchedline
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_lines_matched();

CREATE FUNCTION reconciliation_match_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    closed date;
BEGIN
    IF (to_jsonb(NEW) - 'undone_at' - 'undone_by_id') <> (to_jsonb(OLD) - 'undone_at' - 'undone_by_id')
       OR OLD.undone_at IS NOT NULL OR NEW.undone_at IS NULL THEN
        RAISE EXCEPTION 'A match is never edited, only undone, once.' USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT c."on" INTO closed FROM reconciliation_close c
        WHERE c.account_id = OLD.account_id AND c."on" >= OLD.last_on AND c.closed_at >= OLD.made_at LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'Match % cannot be undone: the sheet of %, a closed day, counts it.', OLD.id, closed
            USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE reconciliation_matchedline SET live = false WHERE match_id = OLD.id;
    RETURN NULL;
END $$;

CREATE TRIGGER reconciliation_match_changed AFTER UPDATE ON reconciliation_match
    FOR EACH ROW EXECUTE FUNCTION reconciliation_match_changed();

CREATE FUNCTION reconciliation_lines_freed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM was o JOIN became n ON n.id = o.id
               WHERE (to_jsonb(n) - 'live') <> (to_jsonb(o) - 'live') OR n.live)
       OR EXISTS (SELECT 1 FROM became n JOIN reconciliation_match m ON m.id = n.match_id
                  WHERE m.undone_at IS NULL) THEN
        RAISE EXCEPTION 'Lines of a match change only when the match is undone.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    INSERT INTO reconciliation_openbankline
        (entry_id, account_id, "on", amount, reference, bank_reference, party)
    SELECT e.id, e.account_id, e.booked_on, e.amount, reconciliation_reference(e.reference),
        reconciliation_reference(e.bank_reference), reconciliation_party(e.counterparty_name)
    FROM was o JOIN banks_entry e ON e.id = o.entry_id WHERE o.live;
    INSERT INTO reconciliation_openbookline
        (ledger_entry_id, account_id, "on", amount, reference, bank_reference, party)
    SELECT g.id, g.account_id, g.posted_on, g.amount, reconciliation_reference(g.reference),
        reconciliation_reference(g.bank_reference), reconciliation_party(g.counterparty)
    FROM was o JOIN reconciliation_ledgerentry g ON g.id = o.ledger_entry_id WHERE o.live;
    RETURN NULL;
END $$;

CREATE TRIGGER reconciliation_lines_freed AFTER UPDATE ON reconciliation_matchedline
    REFERENCING OLD TABLE AS was NEW TABLE AS became
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_lines_freed();
"""

CLOSES = r"""
CREATE FUNCTION reconciliation_close_made() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last_day date;
BEGIN
    SELECT max("on") INTO last_day FROM reconciliation_close WHERE account_id = NEW.account_id;
    IF last_day >= NEW."on" THEN
        RAISE EXCEPTION 'The account is already closed to %.', last_day USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM reconciliation_ledgerimport i
               WHERE i.account_id = NEW.account_id AND i.made_by_id = NEW.closed_by_id
                 AND i.booked_at IS NOT NULL AND i.undone_at IS NULL
                 AND EXISTS (SELECT 1 FROM reconciliation_ledgerentry g WHERE g.imported_id = i.id
                             AND g.posted_on <= NEW."on" AND (last_day IS NULL OR g.posted_on > last_day)))
    THEN
        RAISE EXCEPTION 'Who imported the journal of these days cannot close them.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER reconciliation_close_made BEFORE INSERT ON reconciliation_close
    FOR EACH ROW EXECUTE FUNCTION reconciliation_close_made();

CREATE FUNCTION reconciliation_opening_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM reconciliation_close WHERE account_id = OLD.account_id) THEN
        RAISE EXCEPTION 'The opening balance stands: a day of the account is closed on it.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;

CREATE TRIGGER reconciliation_opening_kept BEFORE UPDATE OR DELETE ON reconciliation_ledgeropening
    FOR EACH ROW EXECUTE FUNCTION reconciliation_opening_kept();
"""

REMOVED = """
DROP TRIGGER reconciliation_bank_booked ON banks_entry;
DROP TRIGGER reconciliation_ledger_booked ON reconciliation_ledgerentry;
DROP TRIGGER reconciliation_ledger_changed ON reconciliation_ledgerentry;
DROP TRIGGER reconciliation_ledger_no_delete ON reconciliation_ledgerentry;
DROP TRIGGER reconciliation_ledger_no_truncate ON reconciliation_ledgerentry;
DROP TRIGGER reconciliation_line_no_delete ON reconciliation_matchedline;
DROP TRIGGER reconciliation_line_no_truncate ON reconciliation_matchedline;
DROP TRIGGER reconciliation_lines_matched ON reconciliation_matchedline;
DROP TRIGGER reconciliation_lines_freed ON reconciliation_matchedline;
DROP TRIGGER reconciliation_match_no_delete ON reconciliation_match;
DROP TRIGGER reconciliation_match_no_truncate ON reconciliation_match;
DROP TRIGGER reconciliation_match_changed ON reconciliation_match;
DROP TRIGGER reconciliation_close_no_change ON reconciliation_close;
DROP TRIGGER reconciliation_close_no_truncate ON reconciliation_close;
DROP TRIGGER reconciliation_close_made ON reconciliation_close;
DROP TRIGGER reconciliation_opening_kept ON reconciliation_ledgeropening;
DROP FUNCTION reconciliation_bank_booked();
DROP FUNCTION reconciliation_ledger_booked();
DROP FUNCTION reconciliation_ledger_changed();
DROP FUNCTION reconciliation_keeps();
DROP FUNCTION reconciliation_lines_matched();
DROP FUNCTION reconciliation_lines_freed();
DROP FUNCTION reconciliation_match_changed();
DROP FUNCTION reconciliation_close_made();
DROP FUNCTION reconciliation_opening_kept();
DROP FUNCTION reconciliation_reference(text);
DROP FUNCTION reconciliation_party(text);
"""


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0001_initial"), ("banks", "0001_initial")]
    operations = [migrations.RunSQL(KEYS + WORKLIST + LEDGER + MATCHES + CLOSES, REMOVED)]
