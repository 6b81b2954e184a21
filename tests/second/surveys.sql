-- What customers answered in the period. Reads `answers` (customer, day, aspect, score, low, high; of known
-- customers and on their scales) and `span`; adds to `figure`.

CREATE VIEW said AS
SELECT answers.* FROM answers, span WHERE day BETWEEN first AND last;

-- A score on 0–100 is 100 × (score − low) ÷ (high − low); all scales of aspects here have the same ends.
INSERT INTO figure
WITH rated AS (SELECT * FROM said WHERE aspect <> 'recommend'),
    scored AS (
        SELECT 'mean' AS aspect, score, low, high FROM rated UNION ALL SELECT aspect, score, low, high FROM rated)
SELECT 'satisfaction.' || aspect, 100 * sum(score - low), count(*) * any_value(high - low), count(*)
FROM scored GROUP BY aspect
UNION ALL
SELECT 'satisfaction.' || aspect || '.raw', sum(score), count(*), count(*) FROM scored GROUP BY aspect;

INSERT INTO figure
SELECT 'nps.score', 100 * (count(*) FILTER (score >= 9) - count(*) FILTER (score <= 6)), count(*), count(*)
FROM said WHERE aspect = 'recommend' AND low = 0 AND high = 10;
