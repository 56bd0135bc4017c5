"""The database itself refuses to change the books, and refuses journals that do not balance."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION books_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'books_are_append_only: % on % is refused; correct by another journal',
                  TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION journal_must_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM payments_posting p JOIN payments_account a ON a.id = p.account_id
     WHERE p.journal_id = NEW.journal_id
     GROUP BY a.currency, a.livemode HAVING sum(p.amount_minor) <> 0
  ) THEN
    RAISE EXCEPTION 'journal_balances: journal % does not add up to zero', NEW.journal_id
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'journal_balances';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER journal_balances AFTER INSERT ON payments_posting
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION journal_must_balance();
"""
TABLES = ["payments_account", "payments_journal", "payments_posting", "payments_checkpoint"]
for table in TABLES:
    FORWARD += f"""
CREATE TRIGGER books_row BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION books_refuse_change();
CREATE TRIGGER books_table BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION books_refuse_change();
"""
BACKWARD = "DROP TRIGGER journal_balances ON payments_posting;\n"
for table in TABLES:
    BACKWARD += f"DROP TRIGGER books_row ON {table}; DROP TRIGGER books_table ON {table};\n"
BACKWARD += "DROP FUNCTION journal_must_balance(); DROP FUNCTION books_refuse_change();\n"


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
