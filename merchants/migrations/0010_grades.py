"""Statements of merchants are sealed, and say of which sections; measures may have a paper."""

import json

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import compliance.protection.columns


def seal_statements(apps, schema_editor):
    """What was said before was not said of a section."""
    renewals = apps.get_model("merchants", "Renewal").objects
    for renewal in renewals.filter(file__isnull=True).exclude(statement=""):
        renewal.statement_sealed = json.dumps({"": renewal.statement}, ensure_ascii=False)
        renewal.save(update_fields=["statement_sealed"])


def open_statements(apps, schema_editor):
    """On the way back: the version before knows only texts in clear."""
    renewals = apps.get_model("merchants", "Renewal").objects
    for renewal in renewals.filter(statement_sealed__isnull=False):
        renewal.statement = renewal.statement_sealed.open()
        renewal.save(update_fields=["statement"])


class Migration(migrations.Migration):

    dependencies = [
        ('compliance', '0021_reports'),
        ('merchants', '0009_key_addresses'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='diligence',
            name='file',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.storedfile'),
        ),
        migrations.AddField(
            model_name='renewal',
            name='changed',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), db_default=[], default=list, size=None, verbose_name='what has changed'),
        ),
        migrations.AddField(
            model_name='renewal',
            name='statement_sealed',
            field=compliance.protection.columns.SealedTextField(null=True, purpose='onboarding', row='public_id', verbose_name='what the merchant states'),
        ),
        migrations.RemoveConstraint(
            model_name='renewal',
            name='renewal_has_paper_or_statement',
        ),
        migrations.RunPython(seal_statements, open_statements, elidable=True),
        migrations.RemoveField(
            model_name='renewal',
            name='statement',
        ),
        migrations.AddConstraint(
            model_name='renewal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('file__isnull', False), ('statement_sealed__isnull', True)), models.Q(('file__isnull', True), ('statement_sealed__isnull', False)), _connector='OR'), name='renewal_has_paper_or_statement'),
        ),
    ]
