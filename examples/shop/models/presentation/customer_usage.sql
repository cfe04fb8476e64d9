/* eddy
description: How each customer used the product in this week and the seven before it.
tests:
  - unique: [customer_id]
*/
select
  customer_id,
  count(distinct date_trunc('week', occurred_at)) as active_weeks,
  count(*) filter (event in ('report_created', 'export', 'api_call')) as key_actions,
  count(*) filter (event = 'team_invited') as team_invites,
  count(*) filter (event = 'pricing_viewed') as pricing_views,
  bool_or(occurred_at >= as_of.week - interval 2 weeks) as seen_lately
from clean.usage
cross join clean.as_of
where occurred_at >= as_of.week - interval 7 weeks
group by customer_id
