/* eddy
description: The shop's today, one row. Scores count back from the newest event, not from the clock, so that the same data
  gives the same scores whenever it is built.
tests:
  - not_null: [day]
*/
select cast(max(occurred_at) as date) as day, cast(date_trunc('week', max(occurred_at)) as date) as week
from clean.usage
