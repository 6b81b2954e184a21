-- Why identified sales moved: what each customer paid for orders, by type of customer (where nobody's is known, by the
-- region that the customer's newest line by the last day names), split at the middle of both periods. Reads `active`, `active_before`, `lines`, `people` and `span`; adds to `figure`. All of it whole numbers:
-- a part of a group is num ÷ den, is rounded down, and the units then short go to the largest remainders.

CREATE TABLE kinds AS
WITH told AS (SELECT customer, arg_max(region, (day, order_no)) AS region FROM lines, span
        WHERE known AND day <= last AND region IS NOT NULL GROUP BY customer),
    typed AS (SELECT count(customer_type) > 0 AS any_type FROM people)
SELECT a.customer, CASE WHEN any_type THEN customer_type ELSE told.region END AS kind
FROM (SELECT customer FROM active UNION SELECT customer FROM active_before) a
CROSS JOIN typed LEFT JOIN people USING (customer) LEFT JOIN told USING (customer);

CREATE TABLE stayed AS
SELECT coalesce(k.kind, 'unknown') AS kind,
    sum(b.amount) AS v0, sum(b.orders) AS w0, sum(a.amount) AS v1, sum(a.orders) AS w1
FROM active a JOIN active_before b USING (customer) LEFT JOIN kinds k USING (customer) GROUP BY coalesce(k.kind, 'unknown');

CREATE TABLE parts AS
WITH whole AS (SELECT sum(v0) AS vv0, sum(w0) AS ww0, sum(v1) AS vv1, sum(w1) AS ww1 FROM stayed),
    groups AS (SELECT *, v0 * w1 + v1 * w0 AS twice_mean, w1 * ww0 - w0 * ww1 AS moved FROM stayed, whole)
SELECT kind, part, num // gcd(num, den) AS num, den // gcd(num, den) AS den FROM groups, LATERAL (VALUES
    -- (W1 − W0) × (s0 × r0 + s1 × r1) ÷ 2, where s × r is v ÷ W
    ('volume', (ww1 - ww0) * (v0 * ww1 + v1 * ww0), 2 * ww0 * ww1),
    -- (W0 + W1) ÷ 2 × (s1 − s0) × ((r0 + r1) ÷ 2 − (R0 + R1) ÷ 2)
    ('mix', (ww0 + ww1) * moved * (twice_mean * ww0 * ww1 - (vv0 * ww1 + vv1 * ww0) * w0 * w1), 4 * w0 * w1 * ww0 * ww0 * ww1 * ww1),
    -- (W0 + W1) ÷ 2 × (r1 − r0) × (s0 + s1) ÷ 2
    ('rate', (ww0 + ww1) * (w0 * ww1 + w1 * ww0) * (v1 * w0 - v0 * w1), 4 * w0 * w1 * ww0 * ww1)) told (part, num, den);

CREATE TABLE units AS
WITH floors AS (SELECT *, num // den - CASE WHEN num % den < 0 THEN 1 ELSE 0 END AS whole FROM parts),
    rests AS (SELECT *, CAST(num - whole * den AS DOUBLE) / CAST(den AS DOUBLE) AS rest FROM floors),
    moved AS (SELECT sum(v1 - v0) AS moved FROM stayed)
SELECT kind, part,
    whole + CASE WHEN row_number() OVER (ORDER BY rest DESC) <= moved - sum(whole) OVER () THEN 1 ELSE 0 END AS money
FROM rests, moved;

INSERT INTO figure
WITH sums AS (
    SELECT part, sum(money) AS money FROM units GROUP BY part
    UNION ALL
    SELECT 'new', coalesce(sum(a.amount), 0) FROM active a ANTI JOIN active_before b USING (customer)
    UNION ALL
    SELECT 'lost', -coalesce(sum(b.amount), 0) FROM active_before b ANTI JOIN active a USING (customer)
    UNION ALL
    SELECT 'residual', 0)
SELECT 'change.sales.identified.' || part, money, unit, NULL FROM sums, span WHERE EXISTS (FROM active_before);
