"""Configurations become rows: versions, their secrets, when each came to work, and the circuit."""

import compliance.protection.columns
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


STATES = """
UPDATE payments_channel SET state = CASE WHEN is_active THEN 'active' ELSE 'killed' END;
"""
STATES_BACK = "UPDATE payments_channel SET is_active = (state = 'active');"
TABLES = ["payments_channelversion", "payments_channelactivation"]
FORWARD = "".join(
    f"""
CREATE TRIGGER books_row BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION books_refuse_change();
CREATE TRIGGER books_table BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION books_refuse_change();
"""
    for table in TABLES
)
BACKWARD = "".join(
    f"DROP TRIGGER books_row ON {table}; DROP TRIGGER books_table ON {table};\n"
    for table in TABLES
)


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0007_endpoints'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ChannelActivation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('request', models.CharField(blank=True, max_length=32, verbose_name='request')),
                ('agreed_by', models.CharField(blank=True, max_length=150, verbose_name='agreed by')),
                ('at', models.DateTimeField(verbose_name='at')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ChannelHealth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('closed', 'Works'), ('open', 'Taken out'), ('half_open', 'Being tried')], default='closed', max_length=9, verbose_name='state')),
                ('since', models.DateTimeField(null=True, verbose_name='since')),
                ('ok', models.PositiveIntegerField(default=0, verbose_name='answers')),
                ('failed', models.PositiveIntegerField(default=0, verbose_name='failures')),
                ('opened', models.PositiveIntegerField(default=0, verbose_name='times taken out')),
                ('retry_at', models.DateTimeField(null=True, verbose_name='tried again at')),
            ],
            options={
                'verbose_name': "channel's health",
                'verbose_name_plural': "channels' health",
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='ChannelSecret',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.CharField(max_length=96, unique=True)),
                ('name', models.CharField(max_length=40)),
                ('value', compliance.protection.columns.SealedTextField(purpose='channel-secret', row='place')),
                ('fingerprint', models.CharField(max_length=64, verbose_name='fingerprint')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ChannelVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='version')),
                ('configuration', models.JSONField(verbose_name='configuration')),
                ('reason', models.CharField(max_length=500, verbose_name='reason')),
                ('copied_from', models.PositiveIntegerField(null=True, verbose_name='copied from version')),
                ('expires_at', models.DateTimeField(null=True, verbose_name='certificate ends at')),
                ('made_at', models.DateTimeField(verbose_name='made at')),
            ],
            options={
                'verbose_name': "channel's version",
                'verbose_name_plural': "channels' versions",
                'default_permissions': ('view',),
            },
        ),
        migrations.AddField(
            model_name='channel',
            name='state',
            field=models.CharField(choices=[('draft', 'Being set up'), ('active', 'Active'), ('killed', 'Stopped')], default='draft', max_length=8, verbose_name='state'),
        ),
        migrations.RunSQL(STATES, STATES_BACK),
        migrations.RemoveField(
            model_name='channel',
            name='is_active',
        ),
        migrations.AddField(
            model_name='attempt',
            name='choice',
            field=models.JSONField(null=True, verbose_name='choice of the channel'),
        ),
        migrations.AddField(
            model_name='channel',
            name='expires_at',
            field=models.DateTimeField(null=True, verbose_name='certificate ends at'),
        ),
        migrations.AddField(
            model_name='channel',
            name='offers',
            field=models.JSONField(db_default={}, default=dict, verbose_name='methods, limits and merchants'),
        ),
        migrations.AddField(
            model_name='channel',
            name='told_days',
            field=models.PositiveSmallIntegerField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='channel',
            name='base_url',
            field=models.URLField(blank=True, verbose_name='gateway address'),
        ),
        migrations.AlterField(
            model_name='channel',
            name='credentials_sealed',
            field=models.TextField(blank=True, editable=False, verbose_name='credentials'),
        ),
        migrations.AlterField(
            model_name='channel',
            name='front_url',
            field=models.URLField(blank=True, verbose_name='gateway address for browsers'),
        ),
        migrations.AlterField(
            model_name='channel',
            name='version',
            field=models.PositiveIntegerField(default=0, verbose_name='version'),
        ),
        migrations.AddConstraint(
            model_name='channel',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'draft'), models.Q(('credentials_sealed', ''), _negated=True), _connector='OR'), name='channel_works_with_configuration'),
        ),
        migrations.AddField(
            model_name='channelhealth',
            name='channel',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='health', to='payments.channel'),
        ),
        migrations.AddField(
            model_name='channelversion',
            name='channel',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='payments.channel'),
        ),
        migrations.AddField(
            model_name='channelversion',
            name='made_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='made by'),
        ),
        migrations.AddField(
            model_name='channelsecret',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='secrets', to='payments.channelversion'),
        ),
        migrations.AddField(
            model_name='channelactivation',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='activations', to='payments.channelversion'),
        ),
        migrations.AddConstraint(
            model_name='channelhealth',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'closed'), ('retry_at__isnull', False), _connector='OR'), name='channel_health_comes_back'),
        ),
        migrations.AddConstraint(
            model_name='channelversion',
            constraint=models.UniqueConstraint(fields=('channel', 'number'), name='channel_version_once'),
        ),
        migrations.AddConstraint(
            model_name='channelversion',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='channel_version_has_reason'),
        ),
        migrations.AddConstraint(
            model_name='channelsecret',
            constraint=models.UniqueConstraint(fields=('version', 'name'), name='channel_secret_once'),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
