-- Creating a payment, statement by statement: authenticate, remember the key, write, answer.
\set merchant random(1, 200)
\set amount random(100, 100000)
\set a random(1, 2000000000)
\set c random(1, 2000000000)
BEGIN;
SELECT id, merchant_id FROM floor.key WHERE digest = 'digest' || :merchant;
INSERT INTO floor.idempotency (merchant_id, key, fingerprint) VALUES (:merchant, :a || '-' || :c, '\x0123456789abcdef0123456789abcdef') ON CONFLICT DO NOTHING;
INSERT INTO floor.payment (public_id, merchant_id, order_no, amount, currency, subject, state, callback_url, meta) VALUES (gen_random_uuid(), :merchant, :a || '-' || :c, :amount, 'CNY', 'Order of tea', 0, 'http://127.0.0.1:9000/cb', '{"k":"v"}') RETURNING id \gset
INSERT INTO floor.attempt (payment_id, number, state, request) VALUES (:id, :a || 'x' || :c, 0, '{"a":1}');
INSERT INTO floor.audit (payment_id, kind, actor, data) VALUES (:id, 'created', 'api', '{"amount":1}');
UPDATE floor.idempotency SET payment_id = :id, status = 201, response = '{"id":"00000000-0000-0000-0000-000000000000","state":"pending"}' WHERE merchant_id = :merchant AND key = :a || '-' || :c;
COMMIT;
