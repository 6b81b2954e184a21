-- The measures of a period from clean order lines, as their definitions read.
--
-- Reads `lines` (order_no, customer, known, day, sale, amount, returned, profit, region, product_group,
-- channel), `people` (customer, customer_type, region), `fates` (a row a table) and `span` (one row: first,
-- last, first_before, last_before, unit: how many smallest units of money make one).
-- Writes `figure` (id, num, den, n): the value is num ÷ den, whole numbers both, and not to be had where den is 0.

CREATE TABLE figure (id VARCHAR, num HUGEINT, den HUGEINT, n HUGEINT);

-- What came, what stayed.
INSERT INTO figure
WITH long AS (UNPIVOT fates ON COLUMNS(* EXCLUDE name) INTO NAME fate VALUE counted)
SELECT 'ledger.' || name || '.' || fate, counted, CASE WHEN starts_with(fate, 'money') THEN unit ELSE 1 END, NULL
FROM long, span;

CREATE VIEW of_period AS SELECT lines.* FROM lines, span WHERE day BETWEEN first AND last;
CREATE VIEW sold AS SELECT * FROM lines WHERE known AND sale;

-- Sales: n counts lines.
INSERT INTO figure
WITH parts AS (
    SELECT
        sum(amount) FILTER (sale) AS everything, count(*) FILTER (sale) AS lines_all,
        sum(amount) FILTER (sale AND known) AS identified, count(*) FILTER (sale AND known) AS lines_identified,
        sum(returned) AS back, count(*) FILTER (returned < 0) AS lines_back,
        sum(returned) FILTER (known) AS back_known, count(*) FILTER (returned < 0 AND known) AS lines_back_known
    FROM of_period)
SELECT id, num, unit, n FROM parts, span, LATERAL (VALUES
    ('sales.all', everything, lines_all),
    ('sales.identified', identified, lines_identified),
    ('sales.returns', back, lines_back),
    ('sales.net', identified + back_known, lines_identified + lines_back_known)) told (id, num, n);

-- By what the line says of itself; by what is known of the customer where lines say nothing. By an attribute of the
-- customer n counts customers and not lines, of which the definitions say nothing: not compared.
INSERT INTO figure
WITH told AS (
    SELECT amount, true AS of_line, dimension, value FROM (
        SELECT amount, region, product_group, channel FROM of_period WHERE sale AND known)
    UNPIVOT (value FOR dimension IN (region, product_group, channel))
    UNION ALL
    SELECT amount, false, dimension, value FROM (
        SELECT amount, people.customer_type, people.region
        FROM of_period JOIN people USING (customer) WHERE sale AND known)
    UNPIVOT (value FOR dimension IN (customer_type, region)))
SELECT 'sales.identified.' || dimension || '.' || value, sum(amount), any_value(unit),
    CASE WHEN of_line THEN count(*) END
FROM told, span GROUP BY dimension, value, of_line;

-- Orders of the period by known customers, and each customer's part in this period and the one before.
INSERT INTO figure
SELECT id, num, den, n FROM (
    SELECT count(DISTINCT order_no) AS orders, coalesce(sum(amount), 0) AS amount FROM of_period WHERE sale AND known), span,
LATERAL (VALUES ('orders.count', orders, 1, orders), ('orders.mean', amount, orders * unit, orders)) told (id, num, den, n);

CREATE TABLE active AS
SELECT customer, count(DISTINCT order_no) AS orders, sum(amount) AS amount
FROM sold, span WHERE day BETWEEN first AND last GROUP BY customer;
CREATE TABLE active_before AS
SELECT customer, count(DISTINCT order_no) AS orders, sum(amount) AS amount
FROM sold, span WHERE day BETWEEN first_before AND last_before GROUP BY customer;

-- All history of a customer by a day: this period's last, and the previous one's.
CREATE TABLE ever AS
SELECT as_of, customer, count(DISTINCT order_no) AS orders, sum(amount) AS gross,
    min(day) AS first_day, max(day) AS last_day, count(DISTINCT day) AS order_days
FROM sold, (SELECT last AS as_of FROM span UNION ALL SELECT last_before FROM span)
WHERE day <= as_of GROUP BY as_of, customer;
CREATE VIEW so_far AS SELECT ever.* FROM ever, span WHERE as_of = last;

INSERT INTO figure
WITH of_now AS (SELECT count(*) AS active, count(*) FILTER (orders >= 2) AS twice FROM active),
    of_before AS (SELECT count(*) AS active_then, count(active.customer) AS stayed
        FROM active_before LEFT JOIN active USING (customer)),
    of_all AS (SELECT count(*) AS total, count(*) FILTER (orders = 1) AS once_only,
        count(*) FILTER (first_day >= first) AS new,
        coalesce(sum(last - last_day), 0) AS silent, coalesce(sum(orders), 0) AS orders, coalesce(sum(gross), 0) AS gross
        FROM so_far, span)
SELECT id, num, den, n FROM of_now, of_before, of_all, span, LATERAL (VALUES
    ('customers.active', active, 1, active),
    ('customers.new', new, 1, new),
    ('customers.total', total, 1, total),
    ('customers.one_order', once_only, 1, total),
    ('rfm.recency.mean', silent, total, total),
    ('rfm.frequency.mean', orders, total, total),
    ('rfm.monetary.mean', gross, total * unit, total),
    ('retention.rate', stayed, active_then, active_then),
    ('repurchase.rate', twice, active, active)) told (id, num, den, n);

-- Behaviour: with at least four orders in mean gaps between order days, otherwise in days. Silence of exactly
-- two gaps is still active, of exactly four still dormant: compared in whole numbers, silence × gaps.
CREATE MACRO state(silence, active, dormant) AS
    CASE WHEN silence <= active THEN 'active' WHEN silence <= dormant THEN 'dormant' ELSE 'churned' END;
CREATE TABLE behaviour AS
SELECT as_of, customer, state(fixed_silence, 90, 180) AS fixed, CASE WHEN own THEN state(own_silence, 2 * between_days, 4 * between_days)
    ELSE state(fixed_silence, 90, 180) END AS behaviour
FROM (
    SELECT as_of, customer, as_of - last_day AS fixed_silence, (as_of - last_day) * (order_days - 1) AS own_silence,
        last_day - first_day AS between_days, orders >= 4 AND order_days > 1 AS own
    FROM ever);

INSERT INTO figure
WITH now AS (SELECT customer, behaviour FROM behaviour, span WHERE as_of = last),
    before AS (SELECT customer FROM behaviour, span WHERE as_of = last_before AND behaviour <> 'churned')
SELECT 'churn.customers', count(*) FILTER (behaviour = 'churned'), 1, count(*) FROM now
UNION ALL
SELECT 'churn.rate', count(*) FILTER (behaviour = 'churned'), count(*), count(*) FROM before JOIN now USING (customer);

-- Profit of the lines whose profit is known, and what those lines were sold for, less what they took back.
INSERT INTO figure
SELECT id, num, den, n FROM (
    SELECT sum(profit) AS profit, sum(amount) FILTER (profit IS NOT NULL) AS made_on,
        count(DISTINCT customer) FILTER (profit IS NOT NULL) AS people_known
    FROM of_period WHERE known), span,
LATERAL (VALUES ('profit.amount', profit, CASE WHEN profit IS NULL THEN 0 ELSE unit END, people_known),
    ('profit.margin', profit, coalesce(made_on, 0), people_known)) told (id, num, den, n);
