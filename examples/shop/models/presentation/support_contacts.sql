/* eddy
description: Contacts the help desk is talking to - a ticket that is not solved, or any ticket of the last thirty days.
tests:
  - unique: [customer_id]
  - unique: [email]
*/
select c.*
from presentation.contacts c
where exists (
  select 1
  from clean.tickets t, clean.as_of a
  where t.email = c.email and (t.status <> 'solved' or t.created_at >= a.day - interval 30 days)
)
