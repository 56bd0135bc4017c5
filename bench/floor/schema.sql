-- The same durable writes as one payment makes, in plain tables, for PostgreSQL alone.
DROP SCHEMA IF EXISTS floor CASCADE; CREATE SCHEMA floor; SET search_path = floor;
CREATE TABLE key (id int PRIMARY KEY, digest text UNIQUE NOT NULL, merchant_id int NOT NULL);
CREATE TABLE payment (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, public_id uuid NOT NULL, merchant_id int NOT NULL,
  order_no text NOT NULL, amount bigint NOT NULL, currency char(3) NOT NULL, subject text NOT NULL,
  state smallint NOT NULL, callback_url text NOT NULL, meta jsonb NOT NULL DEFAULT '{}',
  paid_at timestamptz, created_at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX ON payment (public_id);
CREATE UNIQUE INDEX ON payment (merchant_id, order_no);
CREATE INDEX ON payment (merchant_id, created_at DESC, id DESC);
CREATE TABLE attempt (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payment_id bigint NOT NULL REFERENCES payment,
  number text NOT NULL, state smallint NOT NULL, gateway_number text, request jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX ON attempt (number); CREATE INDEX ON attempt (payment_id);
CREATE TABLE idempotency (
  merchant_id int NOT NULL, key text NOT NULL, fingerprint bytea NOT NULL, payment_id bigint,
  status smallint, response jsonb, created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (merchant_id, key));
CREATE TABLE audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payment_id bigint NOT NULL, kind text NOT NULL,
  actor text NOT NULL, data jsonb NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON audit (payment_id);
CREATE TABLE notification (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, channel text NOT NULL, key text NOT NULL,
  payment_id bigint, body text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX ON notification (channel, key);
CREATE TABLE account (id int PRIMARY KEY, kind text NOT NULL);
CREATE TABLE journal (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payment_id bigint NOT NULL, kind text NOT NULL,
  at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX ON journal (payment_id, kind);
CREATE TABLE posting (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, journal_id bigint NOT NULL REFERENCES journal,
  account_id int NOT NULL REFERENCES account, amount bigint NOT NULL, currency char(3) NOT NULL,
  at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON posting (journal_id); CREATE INDEX ON posting (account_id, id);
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, merchant_id int NOT NULL, payment_id bigint NOT NULL,
  url text NOT NULL, body jsonb NOT NULL, state smallint NOT NULL DEFAULT 0,
  tries smallint NOT NULL DEFAULT 0, due_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON outbox (due_at, id) WHERE state = 0;
INSERT INTO key SELECT g, 'digest' || g, g FROM generate_series(1, 200) g;
INSERT INTO account SELECT g, 'kind' || (g % 4) FROM generate_series(1, 1000) g;
