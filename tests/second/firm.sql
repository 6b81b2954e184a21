-- What winning customers cost, and which applications were granted. Reads `spent` (customer, day, winning,
-- amount), `loans` (customer, applied, decided, approved), `people`, `span` and the new customers among `figure`.

INSERT INTO figure
SELECT 'cac.amount', sum(amount), any_value(new.num * unit), any_value(new.num)
FROM spent, span, (SELECT num FROM figure WHERE id = 'customers.new') new
WHERE winning AND day BETWEEN first AND last;

INSERT INTO figure
SELECT 'finance.success_rate', count(*) FILTER (approved), count(*), count(*)
FROM loans, span
WHERE approved IS NOT NULL AND decided BETWEEN first AND last AND customer IN (SELECT customer FROM people);
