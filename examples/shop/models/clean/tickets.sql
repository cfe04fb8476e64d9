/* eddy
description: Support tickets. The help desk knows people by address only.
tests:
  - not_null: [ticket_id, email, status, created_at]
  - unique: [ticket_id]
  - accepted_values: {status: [open, pending, solved], priority: [low, normal, high, urgent]}
*/
select
  ticket_id,
  lower(trim(cast(requester as json) ->> '$.email')) as email,
  subject,
  priority,
  status,
  cast(created_at as timestamp) as created_at,
  cast(solved_at as timestamp) as solved_at,
  satisfaction
from raw.shop_tickets
