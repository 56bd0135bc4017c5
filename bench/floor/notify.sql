-- A success notification, statement by statement: store, lock, move, book four sides, tell, audit.
\set id random(1, :n)
\set a random(1, 2000000000)
\set c random(1, 2000000000)
BEGIN;
INSERT INTO floor.notification (channel, key, payment_id, body) VALUES ('wechatpay', :a || '-' || :c, :id, repeat('x', 600)) ON CONFLICT DO NOTHING;
SELECT id, merchant_id, amount, state FROM floor.payment WHERE id = :id FOR UPDATE;
UPDATE floor.payment SET state = 2, paid_at = now() WHERE id = :id;
UPDATE floor.attempt SET state = 2, gateway_number = :a || '' WHERE payment_id = :id;
INSERT INTO floor.journal (payment_id, kind) VALUES (:id, 'pay' || :a) RETURNING id AS jid \gset
INSERT INTO floor.posting (journal_id, account_id, amount, currency) VALUES (:jid, 1 + :id % 900, 1000, 'CNY'), (:jid, 2 + :id % 900, -1000, 'CNY'), (:jid, 3 + :id % 900, 6, 'CNY'), (:jid, 4 + :id % 900, -6, 'CNY');
INSERT INTO floor.audit (payment_id, kind, actor, data) VALUES (:id, 'paid', 'gateway', '{"amount":1}');
INSERT INTO floor.outbox (merchant_id, payment_id, url, body) VALUES (1, :id, 'http://127.0.0.1:9000/cb', '{"id":1}');
COMMIT;
