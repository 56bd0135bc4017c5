"""Requests that a merchant's own people make and decide."""

from django.db import migrations, models
from django.db.models import Q

GUARD = """
CREATE OR REPLACE FUNCTION compliance_approval_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF ROW(OLD.public_id, OLD.kind, OLD.subject_kind, OLD.subject_id, {merchant_old}OLD.payload,
         OLD.payload_sha256, OLD.before, OLD.seal, OLD.maker_id, OLD.maker_person, OLD.reason,
         OLD.needed, OLD.created_at, OLD.expires_at)
     IS DISTINCT FROM
     ROW(NEW.public_id, NEW.kind, NEW.subject_kind, NEW.subject_id, {merchant_new}NEW.payload,
         NEW.payload_sha256, NEW.before, NEW.seal, NEW.maker_id, NEW.maker_person, NEW.reason,
         NEW.needed, NEW.created_at, NEW.expires_at) THEN
    RAISE EXCEPTION 'UPDATE refused: what was asked for never changes'
      USING ERRCODE = 'restrict_violation', CONSTRAINT = 'approval_frozen',
            TABLE = TG_TABLE_NAME;
  END IF;
  IF OLD.state <> 'pending' AND ROW(OLD.state, OLD.ended_at, OLD.ended_by_id, OLD.ending,
                                    OLD.result, OLD.glass_at)
     IS DISTINCT FROM ROW(NEW.state, NEW.ended_at, NEW.ended_by_id, NEW.ending,
                          NEW.result, NEW.glass_at) THEN
    RAISE EXCEPTION 'UPDATE refused: the request is over'
      USING ERRCODE = 'restrict_violation', CONSTRAINT = 'approval_final', TABLE = TG_TABLE_NAME;
  END IF;
  IF OLD.reviewed_at IS NOT NULL AND ROW(OLD.reviewed_at, OLD.reviewed_by_id, OLD.review)
     IS DISTINCT FROM ROW(NEW.reviewed_at, NEW.reviewed_by_id, NEW.review) THEN
    RAISE EXCEPTION 'UPDATE refused: the review is written'
      USING ERRCODE = 'restrict_violation', CONSTRAINT = 'approval_review_final',
            TABLE = TG_TABLE_NAME;
  END IF;
  IF OLD.state = 'pending' AND NEW.state = 'executed' AND NEW.glass_at IS NULL AND
     (SELECT count(*) FROM compliance_vote WHERE approval_id = NEW.id) < NEW.needed THEN
    RAISE EXCEPTION 'UPDATE refused: not enough people agreed'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'approval_has_votes', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("compliance", "0018_used_links")]

    operations = [
        migrations.AddField(
            model_name="approval",
            name="merchant",
            field=models.CharField(
                blank=True, db_default="", max_length=32, verbose_name="merchant"
            ),
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(
                fields=["merchant", "-id"], condition=~Q(merchant=""), name="approval_of_merchant"
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.CheckConstraint(
                condition=Q(merchant="") | Q(glass_at__isnull=True),
                name="approval_glass_is_of_staff",
            ),
        ),
        migrations.RunSQL(
            GUARD.format(merchant_old="OLD.merchant, ", merchant_new="NEW.merchant, "),
            GUARD.format(merchant_old="", merchant_new=""),
        ),
    ]
