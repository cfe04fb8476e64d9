/* eddy
description: One row per day of the years in which anything was ordered. The key reads as the date, 20261118.
materialize: table
key: date_key
tests:
  - unique: [date]
*/
with years as (
  select date_trunc('year', min(ordered_at)) as first, date_trunc('year', max(ordered_at)) + interval 1 year as beyond
  from clean.orders
)
select
  cast(strftime(day, '%Y%m%d') as integer) as date_key,
  cast(day as date) as date,
  cast(date_trunc('month', day) as date) as month,
  cast(year(day) as integer) as year,
  cast(quarter(day) as integer) as quarter,
  cast(isodow(day) as integer) as weekday,
  isodow(day) >= 6 as weekend
from years, unnest(generate_series(years.first, years.beyond - interval 1 day, interval 1 day)) as days(day)
