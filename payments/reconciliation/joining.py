"""Matching, set by set: a million lines are held against a million bookings by one join.

Only what differs ever leaves the database's memory. All statements run in the caller's
transaction, in the order of `STEPS`.
"""

from typing import Final

OURS: Final = """
  SELECT 'payment' AS kind, a.number, p.public_id AS payment, a.amount_minor
    FROM payments_attempt a JOIN payments_payment p ON p.id = a.payment_id
   WHERE a.channel_id = %(channel)s AND a.state = 'succeeded'
     AND a.ended_at >= %(start)s::timestamptz - interval '1 hour'
     AND p.paid_at >= %(start)s AND p.paid_at < %(end)s
  UNION ALL
  SELECT 'payment', a.number, p.public_id, a.amount_minor
    FROM payments_attempt a
    JOIN payments_payment p ON p.id = a.payment_id
    JOIN payments_journal j ON j.subject = a.number AND j.kind = 'payment.late'
   WHERE a.channel_id = %(channel)s AND a.state = 'late'
     AND a.ended_at >= %(start)s::timestamptz - interval '1 hour'
     AND j.at >= %(start)s AND j.at < %(end)s
  UNION ALL
  SELECT 'refund', r.number, p.public_id, r.amount_minor
    FROM payments_refund r
    JOIN payments_attempt a ON a.id = r.attempt_id AND a.channel_id = %(channel)s
    JOIN payments_payment p ON p.id = r.payment_id
   WHERE r.state = 'succeeded' AND r.ended_at >= %(start)s AND r.ended_at < %(end)s
"""
"""What we booked in the gateway's day. A booking may be learned later than its money moved, never
an hour before.
"""

_FEE: Final = """
  CASE WHEN %(rate)s::bigint IS NULL THEN NULL
       WHEN l.kind = 'payment' THEN (l.amount_minor * %(rate)s::bigint + 500000) / 1000000
       WHEN l.kind = 'refund' AND %(returns)s
       THEN -((l.amount_minor * %(rate)s::bigint + 500000) / 1000000)
       WHEN l.kind = 'refund' THEN 0 END
"""

OUR_TOTALS: Final = f"""
CREATE TEMP TABLE reconciliation_ours ON COMMIT DROP AS {OURS}
"""

_TOTALS_OURS: Final = """
SELECT kind, count(*), coalesce(sum(amount_minor), 0)::bigint FROM reconciliation_ours GROUP BY kind
"""
_TOTALS_THEIRS: Final = """
SELECT kind, count(*), coalesce(sum(amount_minor), 0)::bigint, coalesce(sum(fee_minor), 0)::bigint
  FROM payments_billline WHERE day = %(day)s AND bill_id = %(bill)s GROUP BY kind
"""

UNLIKE: Final = f"""
CREATE TEMP TABLE reconciliation_unlike ON COMMIT DROP AS
WITH again AS MATERIALIZED (
  SELECT kind, number, min(row) AS first FROM payments_billline
   WHERE day = %(day)s AND bill_id = %(bill)s AND number <> ''
   GROUP BY kind, number HAVING count(*) > 1
), lines AS NOT MATERIALIZED (
  SELECT l.*, {_FEE} AS expected, again.number IS NOT NULL AS is_again
    FROM payments_billline l
    LEFT JOIN again ON again.kind = l.kind AND again.number = l.number AND l.row > again.first
   WHERE l.day = %(day)s AND l.bill_id = %(bill)s
)
SELECT coalesce(l.kind, o.kind) AS kind, coalesce(l.number, o.number) AS number,
       o.payment, o.amount_minor AS ours, l.row, l.gateway_number, l.amount_minor AS theirs,
       l.fee_minor AS fee, l.expected, l.state, false AS is_again
  FROM reconciliation_ours o
  FULL JOIN (SELECT * FROM lines WHERE NOT is_again) l ON l.kind = o.kind AND l.number = o.number
 WHERE o.number IS NULL OR l.number IS NULL OR l.state <> 'done'
    OR o.amount_minor <> l.amount_minor OR l.fee_minor <> l.expected
UNION ALL
SELECT kind, number, NULL, NULL, row, gateway_number, amount_minor, fee_minor, expected, state, true
  FROM lines WHERE is_again
"""  # noqa: S608  constants
"""Every line and booking that has no equal; of lines with one number, the first may have one."""

KNOWN: Final = """
CREATE TEMP TABLE reconciliation_verdict ON COMMIT DROP AS
WITH told AS MATERIALIZED (
  SELECT l.kind, l.number, l.day
    FROM payments_billline l
   WHERE l.day BETWEEN %(day)s::date - %(shift)s AND %(day)s::date + %(shift)s
     AND l.bill_id = ANY(%(others)s)
     AND (l.kind, l.number) IN (SELECT kind, number FROM reconciliation_unlike WHERE number <> '')
  UNION
  SELECT d.subject, d.number, other.day
    FROM payments_difference d JOIN payments_reconciliationrun other ON other.id = d.run_id
   WHERE d.found = 'day_shift' AND other.channel_id = %(channel)s AND other.id <> %(run)s
     AND (d.subject, d.number) IN (SELECT kind, number FROM reconciliation_unlike)
), near AS MATERIALIZED (
  SELECT kind, number, array_agg(day) AS days FROM told GROUP BY kind, number
), known AS (
  SELECT u.*, near.days AS elsewhere,
         %(day)s::date + floor(extract(epoch FROM coalesce(ap.paid_at, r.ended_at)
                               - %(start)s::timestamptz) / 86400)::int AS our_day,
         CASE WHEN u.ours IS NOT NULL THEN 'succeeded'
              WHEN u.kind = 'payment' AND a.state IN ('succeeded', 'late') THEN 'succeeded'
              WHEN u.kind = 'payment' THEN a.state ELSE r.state END AS our_state,
         coalesce(u.ours, a.amount_minor, r.amount_minor) AS our_minor,
         coalesce(u.payment, ap.public_id, rp.public_id) AS our_payment
    FROM reconciliation_unlike u
    LEFT JOIN near ON near.kind = u.kind AND near.number = u.number AND u.number <> ''
    LEFT JOIN payments_attempt a ON u.ours IS NULL AND u.kind = 'payment'
         AND a.number = u.number AND a.channel_id = %(channel)s
    LEFT JOIN payments_payment ap ON ap.id = a.payment_id
    LEFT JOIN payments_refund r ON u.ours IS NULL AND u.kind = 'refund' AND r.number = u.number
         AND EXISTS (SELECT FROM payments_attempt ra
                      WHERE ra.id = r.attempt_id AND ra.channel_id = %(channel)s)
    LEFT JOIN payments_payment rp ON rp.id = r.payment_id
)
SELECT *, CASE
    WHEN is_again THEN 'duplicate'
    WHEN row IS NULL AND elsewhere IS NOT NULL THEN 'shifted'
    WHEN row IS NULL THEN 'only_ours'
    WHEN our_state IS NULL THEN 'only_theirs'
    WHEN ours IS NULL AND our_state = 'succeeded'
         AND (our_day = ANY(elsewhere) OR %(day)s::date > ANY(elsewhere)) THEN 'duplicate'
    WHEN our_state = 'succeeded' AND state <> 'done' THEN 'status'
    WHEN our_state <> 'succeeded' AND state = 'done' THEN 'status'
    WHEN our_state <> 'succeeded' THEN CASE
      WHEN (state = 'failed') = (our_state = 'failed') THEN 'agreed' ELSE 'status' END
    WHEN our_minor <> theirs THEN 'amount'
    WHEN fee <> expected THEN 'fee'
    ELSE 'day_shift' END AS found
  FROM known
"""
"""Says of each what it is. What is not in the day's books may be in another day's, or in ours with
another state; what is not in the bill may be in another day's bill.
"""

FINDINGS: Final = """
CREATE TEMP TABLE reconciliation_finding ON COMMIT DROP AS
SELECT found, kind AS subject,
       CASE WHEN number = '' OR found = 'duplicate'
            THEN left(number, 40) || '#' || left(gateway_number, 40) || '#' ||
                 row_number() OVER (PARTITION BY found, kind, number, gateway_number ORDER BY row)
            ELSE number END AS key,
       number, coalesce(gateway_number, '') AS gateway_number,
       coalesce(our_payment, '') AS payment, row,
       CASE WHEN found = 'duplicate' OR our_state IS DISTINCT FROM 'succeeded' THEN NULL
            ELSE our_minor END AS ours,
       CASE WHEN state = 'done' THEN theirs END AS theirs,
       CASE WHEN found = 'fee' THEN expected END AS our_fee,
       fee,
       CASE found WHEN 'status' THEN our_state || ' / ' || state ELSE '' END AS detail
  FROM reconciliation_verdict WHERE found NOT IN ('agreed', 'shifted')
"""

INSERT: Final = """
INSERT INTO payments_difference
       (run_id, found, subject, key, number, gateway_number, payment, row, currency, ours_minor,
        theirs_minor, ours_fee_minor, theirs_fee_minor, detail, state, found_at, ended_at, ending,
        claim, approval, journal, journals)
SELECT %(run)s, f.found, f.subject, f.key, f.number, f.gateway_number, f.payment, f.row,
       %(currency)s, f.ours, f.theirs, f.our_fee, f.fee, f.detail,
       CASE f.found WHEN 'day_shift' THEN 'explained' ELSE 'open' END, %(at)s,
       CASE f.found WHEN 'day_shift' THEN %(at)s::timestamptz END,
       CASE f.found WHEN 'day_shift' THEN 'shifted' ELSE '' END, '', '', '', 0
  FROM reconciliation_finding f
ON CONFLICT ON CONSTRAINT difference_once DO NOTHING
"""

GONE: Final = """
SELECT d.id, EXISTS (SELECT FROM reconciliation_verdict v
                      WHERE v.found = 'shifted' AND v.kind = d.subject AND v.number = d.number)
  FROM payments_difference d
 WHERE d.run_id = %(run)s AND d.state IN ('open', 'resolved') AND d.found <> 'no_bill'
   AND NOT EXISTS (SELECT FROM reconciliation_finding f
                    WHERE f.found = d.found AND f.subject = d.subject AND f.key = d.key)
"""
"""What an earlier matching found and this one does not, and whether it stands elsewhere now."""

BACK: Final = """
UPDATE payments_difference d
   SET state = 'open', ended_at = NULL, ending = '', row = f.row, ours_minor = f.ours,
       theirs_minor = f.theirs, ours_fee_minor = f.our_fee, theirs_fee_minor = f.fee
  FROM reconciliation_finding f
 WHERE d.run_id = %(run)s AND d.found = f.found AND d.subject = f.subject AND d.key = f.key
   AND d.state = 'explained' AND d.found <> 'day_shift'
"""
"""What had explained itself and is found again, is open again."""

CHANGED: Final = """
SELECT d.id FROM payments_difference d JOIN reconciliation_finding f
    ON f.found = d.found AND f.subject = d.subject AND f.key = d.key
 WHERE d.run_id = %(run)s AND d.state IN ('open', 'resolved')
   AND (d.ours_minor, d.theirs_minor, d.ours_fee_minor, d.theirs_fee_minor)
       IS DISTINCT FROM (f.ours, f.theirs, f.our_fee, f.fee)
"""

REFRESH: Final = """
UPDATE payments_difference d
   SET row = f.row, ours_minor = f.ours, theirs_minor = f.theirs, ours_fee_minor = f.our_fee,
       theirs_fee_minor = f.fee
  FROM reconciliation_finding f
 WHERE d.run_id = %(run)s AND d.found = f.found AND d.subject = f.subject AND d.key = f.key
   AND d.state = 'open'
"""

UNMATCHED: Final = """
SELECT count(*) FILTER (WHERE row IS NOT NULL AND found <> 'agreed') FROM reconciliation_verdict
"""

FEES: Final = """
SELECT coalesce(sum(CASE WHEN found = 'fee' THEN fee - our_fee ELSE fee END), 0)::bigint
  FROM reconciliation_finding
 WHERE found IN ('fee', 'only_theirs', 'duplicate', 'status') AND row IS NOT NULL
"""
"""Of the bill's fees, what waits for somebody's decision; the rest can be booked."""

TOTALS_OURS: Final = _TOTALS_OURS
TOTALS_THEIRS: Final = _TOTALS_THEIRS
_LARGE: Final = """
SET LOCAL enable_nestloop = off; SET LOCAL enable_sort = off; SET LOCAL work_mem = '96MB'
"""
_SMALL: Final = """
SET LOCAL enable_nestloop = on; SET LOCAL enable_sort = on; ANALYZE reconciliation_unlike
"""
TABLES: Final = (OUR_TOTALS, _LARGE, UNLIKE, _SMALL, KNOWN, FINDINGS)
"""The statements that build the tables of one matching, in order.

Nothing is known yet of lines that were loaded a moment ago, and whoever thinks them few would join
a million of them one by one, or sort them to find what stands there twice. What is left after the
first join is few indeed.
"""
