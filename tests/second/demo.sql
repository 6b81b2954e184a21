-- The demo client from its own files, all text, each a table with a column for each of its headers:
-- `orders`, `customers`, `survey`, `costs`, `applications`; `same` (number, kept) says which numbers are one
-- customer's. Writes `lines`, `fates` and `people` as measures.sql reads them, `answers`, `spent` and `loans`
-- for surveys.sql and firm.sql. Money in cents; handed over on 2025-01-06.

CREATE MACRO a_day(cell) AS CAST(coalesce(try_strptime(cell, '%Y-%m-%d'), try_strptime(cell, '%Y/%m/%d'),
    try_strptime(cell, '%Y年%m月%d日')) AS DATE);
CREATE MACRO cents(cell) AS CAST(TRY_CAST(cell AS DECIMAL(18, 2)) * 100 AS HUGEINT);
CREATE MACRO handed_over() AS DATE '2025-01-06';

-- Of a customer each field takes its newest value that is not empty; further numbers of a customer are the customer's.
CREATE TABLE versions AS
SELECT *, min(rowid) AS place, count(*) AS copies FROM customers GROUP BY ALL;
CREATE TABLE people AS
SELECT coalesce(kept, "客户编号") AS customer,
    CASE arg_max("客户类型", (a_day("更新日期"), place)) FILTER ("客户类型" <> '')
        WHEN '个人客户' THEN 'personal' WHEN '企业客户' THEN 'enterprise' WHEN '大型企业客户' THEN 'large_enterprise' END AS customer_type,
    arg_max("省份", (a_day("更新日期"), place)) FILTER ("省份" <> '') AS region
FROM versions LEFT JOIN same ON "客户编号" = number GROUP BY ALL;

-- Order lines. A line of totals has no customer, day or price and is no record.
CREATE TABLE once AS SELECT *, count(*) AS copies FROM orders GROUP BY ALL;
CREATE TABLE typed AS
SELECT
    "单据号" AS order_no, starts_with("单据号", 'TH') AS of_return,
    coalesce(kept, nullif("客户编号", '')) AS customer,
    a_day("业务日期") AS day,
    CAST(TRY_CAST("数量" AS DECIMAL(18, 3)) AS HUGEINT) AS quantity, cents("单价") AS price, cents("利润") AS profit,
    nullif("产品类别", '') AS product_group, nullif("渠道", '') AS channel, copies
FROM once LEFT JOIN same ON "客户编号" = number;
CREATE TABLE judged AS
SELECT *, coalesce(quantity * price, 0) AS amount,
    day IS NULL OR day > handed_over() OR quantity IS NULL OR price IS NULL OR price < 0
        OR (quantity < 0 AND price = 0 AND NOT of_return) AS aside
FROM typed;
CREATE TABLE lines AS
SELECT order_no, judged.customer, people.customer IS NOT NULL AS known, day,
    quantity > 0 AND price > 0 AS sale, amount,
    CASE WHEN of_return THEN -abs(amount) ELSE 0 END AS returned,
    profit, CAST(NULL AS VARCHAR) AS region, product_group, channel
FROM judged LEFT JOIN people ON judged.customer = people.customer WHERE NOT aside;

-- Answers: a cell off its scale is set aside, the others of its form stand.
CREATE TABLE forms AS SELECT *, count(*) AS copies FROM survey GROUP BY ALL;
CREATE TABLE cells AS
SELECT coalesce(kept, respondent) AS customer, a_day(answered_on) AS day, aspect, CAST(cell AS HUGEINT) AS score,
    CASE aspect WHEN 'recommend' THEN 0 ELSE 1 END AS low, CASE aspect WHEN 'recommend' THEN 10 ELSE 5 END AS high
FROM (UNPIVOT forms ON product, service, after_sales, brand, recommend INTO NAME aspect VALUE cell)
LEFT JOIN same ON respondent = number WHERE cell <> '';
CREATE TABLE answers AS
SELECT * FROM cells WHERE score BETWEEN low AND high AND customer IN (SELECT customer FROM people);

-- Costs: one that lacks its day or amount, or is below 0, is set aside; so is the line of totals.
CREATE TABLE bills AS
SELECT *, a_day("日期") IS NULL OR a_day("日期") > handed_over() OR cents("金额") IS NULL OR cents("金额") < 0 AS aside
FROM (SELECT *, count(*) AS copies FROM costs GROUP BY ALL);
CREATE TABLE spent AS
SELECT coalesce(kept, nullif("客户编号", '')) AS customer, a_day("日期") AS day, "类别" = '获客' AS winning, cents("金额") AS amount
FROM bills LEFT JOIN same ON "客户编号" = number WHERE NOT aside;

-- Applications for loans: one whose days, amount or term cannot be, or cannot be read, is set aside.
CREATE TABLE asked AS
SELECT *, a_day("申请日期") IS NULL OR a_day("申请日期") > handed_over()
    OR ("决定日期" <> '' AND (a_day("决定日期") IS NULL OR a_day("决定日期") > handed_over() OR a_day("决定日期") < a_day("申请日期")))
    OR cents("申请金额") IS NULL OR cents("申请金额") < 0 OR TRY_CAST("期限" AS INTEGER) IS NULL AS aside
FROM (SELECT *, count(*) AS copies FROM applications GROUP BY ALL);
CREATE TABLE loans AS
SELECT coalesce(kept, "客户编号") AS customer, a_day("申请日期") AS applied, a_day("决定日期") AS decided,
    CASE "审批结果" WHEN '通过' THEN true WHEN '批准' THEN true WHEN '拒绝' THEN false END AS approved
FROM asked LEFT JOIN same ON "客户编号" = number WHERE NOT aside;

CREATE TABLE fates AS
SELECT 'transactions' AS name, sum(copies) AS rows_in, count(*) FILTER (NOT aside) AS rows_kept,
    sum(copies - 1) AS rows_merged, count(*) FILTER (aside) AS rows_quarantined,
    -- The lines of totals carry no price and so no money.
    sum(copies * amount) AS money_in, sum(amount) FILTER (NOT aside) AS money_kept,
    sum((copies - 1) * amount) AS money_merged, sum(amount) FILTER (aside) AS money_quarantined
FROM judged
UNION ALL
SELECT 'customers', sum(copies), (SELECT count(*) FROM people), sum(copies) - (SELECT count(*) FROM people), 0, 0, 0, 0, 0
FROM versions
UNION ALL
SELECT 'surveys', sum(copies), count(*), sum(copies - 1), 0, 0, 0, 0, 0 FROM forms
UNION ALL
SELECT 'answers', count(*), count(*) FILTER (score BETWEEN low AND high), 0,
    count(*) FILTER (score NOT BETWEEN low AND high), 0, 0, 0, 0 FROM cells
UNION ALL
SELECT 'costs', sum(copies), count(*) FILTER (NOT aside), sum(copies - 1), count(*) FILTER (aside),
    sum(copies * money), sum(money) FILTER (NOT aside), sum((copies - 1) * money), sum(money) FILTER (aside)
-- What stands in the line of totals has come once already.
FROM (SELECT *, CASE WHEN "日期" = '合计' THEN 0 ELSE coalesce(cents("金额"), 0) END AS money FROM bills)
UNION ALL
SELECT 'applications', sum(copies), count(*) FILTER (NOT aside), sum(copies - 1), count(*) FILTER (aside),
    sum(copies * money), sum(money) FILTER (NOT aside), sum((copies - 1) * money), sum(money) FILTER (aside)
FROM (SELECT *, coalesce(cents("申请金额"), 0) AS money FROM asked);
