"""Triggers that refuse to change or remove audit entries and their seals."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION compliance_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % refused: its rows are only ever added (%)',
        TG_OP, TG_TABLE_NAME, TG_ARGV[0]
    USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_ARGV[0], TABLE = TG_TABLE_NAME;
END $$
"""

TRIGGERS = """
CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON {table}
   FOR EACH ROW EXECUTE FUNCTION compliance_refuse_change('{name}');
CREATE TRIGGER {name}_truncate BEFORE TRUNCATE ON {table}
   FOR EACH STATEMENT EXECUTE FUNCTION compliance_refuse_change('{name}')
"""

DROP = "DROP TRIGGER {name} ON {table}; DROP TRIGGER {name}_truncate ON {table}"


def append_only(table: str, name: str) -> migrations.RunSQL:
    """An operation that makes a table append-only; `name` is what a refusal is known by."""
    return migrations.RunSQL(
        TRIGGERS.format(table=table, name=name), DROP.format(table=table, name=name)
    )


class Migration(migrations.Migration):
    """Evidence that can be edited is none."""

    dependencies = [("compliance", "0001_users_and_audit")]

    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION compliance_refuse_change()"),
        append_only("compliance_auditentry", "audit_entry_append_only"),
        append_only("compliance_auditseal", "audit_seal_append_only"),
    ]
