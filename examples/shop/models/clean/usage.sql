/* eddy
description: One row per product event; what a phone sent twice is here once.
tests:
  - not_null: [event_id, customer_id, event, occurred_at]
  - unique: [event_id]
*/
select
  event_id,
  customer_id,
  event,
  cast(occurred_at as timestamp) as occurred_at,
  cast(properties as json) ->> '$.source' as source,
  cast(cast(properties as json) ->> '$.seconds' as integer) as seconds
from raw.shop_usage
qualify row_number() over (partition by event_id order by _loaded_at, _load_id) = 1
