-- The combined tier (X16) at the period's last day, by the rules that `crm config` prints where client.yml says
-- nothing: shares of 0.5 and 0.8 from 30 customers up; loyalty by orders (4, 2), days as a customer (730, 365) and
-- the last answer about recommending (9, 7); the parts weigh alike; 2.5 points are high, 1.5 medium.
-- Reads `lines`, `so_far`, `span`, and where there are any `answers` and `spent`; writes `tier` and adds to `figure`.

CREATE MACRO by_cuts(value, high, medium) AS
    CASE WHEN value >= high THEN 3 WHEN value >= medium THEN 2 WHEN value IS NOT NULL THEN 1 END;

-- What a customer is worth: net of returns; after the costs of winning and serving, where costs are supplied.
CREATE TABLE worth AS
WITH paid AS (
        SELECT customer, sum(CASE WHEN sale THEN amount ELSE 0 END + returned) AS net, sum(profit) AS profit
        FROM lines, span WHERE known AND day <= last GROUP BY customer),
    won AS (SELECT date_trunc('month', first_day) AS month, count(*) AS customers FROM so_far GROUP BY month),
    winning AS (SELECT date_trunc('month', day) AS month, sum(amount) AS cost FROM spent, span
        WHERE winning AND day <= last GROUP BY month),
    serving AS (SELECT customer, sum(amount) AS cost FROM spent, span
        WHERE NOT winning AND customer IS NOT NULL AND day <= last GROUP BY customer)
SELECT so_far.*, paid.net,
    CASE WHEN EXISTS (FROM spent)
        -- A month's cost of winning is shared by the customers won in it, halves of a unit upwards.
        THEN net - (2 * winning.cost + won.customers) // (2 * won.customers) - coalesce(serving.cost, 0)
        ELSE profit END AS lifetime
FROM so_far JOIN paid USING (customer) JOIN won ON won.month = date_trunc('month', first_day)
LEFT JOIN winning ON winning.month = won.month LEFT JOIN serving USING (customer);

-- By share: a class is told by how much of the whole lies above a value, so that equal customers share one.
CREATE TABLE shares AS
WITH long AS (
        SELECT customer, 'spend' AS part, CAST(net AS DOUBLE) AS value FROM worth
        UNION ALL SELECT customer, 'lifetime', CAST(lifetime AS DOUBLE) FROM worth WHERE lifetime IS NOT NULL
        -- Orders a year; who came within the year has had a year.
        UNION ALL SELECT customer, 'frequency', orders / greatest(as_of - first_day, 365.25) * 365.25 FROM worth),
    ranked AS (
        SELECT *, coalesce(sum(greatest(value, 0)) OVER (PARTITION BY part ORDER BY value DESC
            RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE TIES), 0) - greatest(value, 0) AS above,
            sum(greatest(value, 0)) OVER (PARTITION BY part) AS whole, count(*) OVER (PARTITION BY part) AS customers
        FROM long)
SELECT customer, part, CASE WHEN customers < 30 THEN NULL
    WHEN value > 0 AND above < 0.5 * whole - 1e-12 * whole THEN 3 WHEN value > 0 AND above < 0.8 * whole - 1e-12 * whole THEN 2 ELSE 1 END AS points
FROM ranked;

CREATE TABLE loyalty AS
WITH last_word AS (
        SELECT customer, arg_max(score, day) AS score FROM answers, span
        WHERE aspect = 'recommend' AND day <= last GROUP BY customer),
    long AS (
        SELECT customer, by_cuts(orders, 4, 2) AS points FROM worth
        UNION ALL SELECT customer, by_cuts(as_of - first_day, 730, 365) FROM worth
        UNION ALL SELECT customer, by_cuts(score, 9, 7) FROM last_word WHERE customer IN (SELECT customer FROM worth))
SELECT customer, 'loyalty' AS part, by_cuts(sum(points) / count(points), 2.5, 1.5) AS points
FROM long GROUP BY customer;

CREATE TABLE tier AS
SELECT customer, CASE by_cuts(sum(points) / count(points), 2.5, 1.5) WHEN 3 THEN 'high' WHEN 2 THEN 'medium' WHEN 1 THEN 'low' END AS tier
FROM (FROM shares UNION ALL BY NAME FROM loyalty) GROUP BY customer;

INSERT INTO figure
SELECT id, num, den, graded FROM (
    SELECT level, count(*) FILTER (tier = level) AS held, count(*) AS graded
    FROM tier, (VALUES ('high'), ('medium'), ('low')) levels (level) WHERE tier IS NOT NULL GROUP BY level),
LATERAL (VALUES ('tier.' || level || '.customers', held, 1), ('tier.' || level || '.share', held, graded)) told (id, num, den);
