-- Online Retail from its own file, all text: `raw`, with a column for each of its headers.
-- Writes `lines`, `fates` and `people` as measures.sql reads them. Money in thousandths.

-- An exact duplicate agrees in every column of the source.
CREATE TABLE once AS SELECT *, count(*) AS copies FROM raw GROUP BY ALL;

CREATE TABLE typed AS
SELECT
    "InvoiceNo" AS order_no,
    nullif("CustomerID", '') AS customer,
    CAST(strptime("InvoiceDate", '%Y-%m-%d %H:%M:%S') AS DATE) AS day,
    CAST("Quantity" AS HUGEINT) AS quantity,
    CAST(CAST("UnitPrice" AS DECIMAL(18, 3)) * 1000 AS HUGEINT) AS price,
    starts_with("InvoiceNo", 'C') AS of_return,
    "Country" AS region,
    copies
FROM once;

-- A negative quantity at price 0 without the mark of a return corrects the stock; a negative price keeps books.
CREATE TABLE judged AS
SELECT *, quantity * price AS amount, price < 0 OR (quantity < 0 AND price = 0 AND NOT of_return) AS aside
FROM typed;

CREATE TABLE lines AS
SELECT
    order_no, customer, customer IS NOT NULL AS known, day,
    quantity > 0 AND price > 0 AS sale,
    amount,
    -- A positive line on a return document stays a sale and is also taken back.
    CASE WHEN of_return THEN -abs(amount) ELSE 0 END AS returned,
    CAST(NULL AS HUGEINT) AS profit,
    region, CAST(NULL AS VARCHAR) AS product_group, CAST(NULL AS VARCHAR) AS channel
FROM judged WHERE NOT aside;

CREATE TABLE fates AS
SELECT
    'transactions' AS name,
    sum(copies) AS rows_in,
    count(*) FILTER (NOT aside) AS rows_kept,
    sum(copies - 1) AS rows_merged,
    count(*) FILTER (aside) AS rows_quarantined,
    sum(copies * amount) AS money_in,
    sum(amount) FILTER (NOT aside) AS money_kept,
    sum((copies - 1) * amount) AS money_merged,
    coalesce(sum(amount) FILTER (aside), 0) AS money_quarantined
FROM judged;

CREATE TABLE people (customer VARCHAR, customer_type VARCHAR, region VARCHAR);

-- Nobody was asked anything, and no costs are told.
CREATE TABLE answers (customer VARCHAR, day DATE, aspect VARCHAR, score HUGEINT, low HUGEINT, high HUGEINT);
CREATE TABLE spent (customer VARCHAR, day DATE, winning BOOLEAN, amount HUGEINT);
