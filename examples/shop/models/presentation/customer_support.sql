/* eddy
description: Tickets by address, of the last half year.
tests:
  - unique: [email]
*/
select
  email,
  count(*) as tickets,
  count(*) filter (status <> 'solved') as open_tickets,
  count(*) filter (satisfaction = 'good') as good_ratings,
  count(*) filter (satisfaction = 'bad') as bad_ratings
from clean.tickets
cross join clean.as_of
where created_at >= as_of.day - interval 6 months
group by email
