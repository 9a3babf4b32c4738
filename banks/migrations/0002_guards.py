"""What a bank said is not rewritten: entries and stored bytes refuse change and removal.

File parts are stored uncompressed and out of line, so that one part is read without the others.
"""

from django.db import migrations

GUARD = r"""
CREATE FUNCTION banks_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What a bank said is kept as it came: % of % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER banks_entry_no_change BEFORE UPDATE OR DELETE ON banks_entry
    FOR EACH ROW EXECUTE FUNCTION banks_guard();
CREATE TRIGGER banks_filepart_no_change BEFORE UPDATE OR DELETE ON banks_filepart
    FOR EACH ROW EXECUTE FUNCTION banks_guard();
ALTER TABLE banks_filepart ALTER COLUMN content SET STORAGE EXTERNAL;
"""

UNGUARD = """
DROP TRIGGER banks_entry_no_change ON banks_entry;
DROP TRIGGER banks_filepart_no_change ON banks_filepart;
DROP FUNCTION banks_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("banks", "0001_initial")]
    operations = [migrations.RunSQL(GUARD, UNGUARD)]
