/* eddy
description: What each customer has paid. Refunded and pending orders do not count.
tests:
  - unique: [customer_id]
*/
select
  customer_id,
  count(*) filter (status = 'paid') as orders,
  coalesce(sum(amount) filter (status = 'paid'), 0) as lifetime_value,
  count(*) filter (status = 'refunded') as refunds,
  cast(min(ordered_at) as date) as first_order_on,
  cast(max(ordered_at) as date) as last_order_on
from clean.orders
group by customer_id
