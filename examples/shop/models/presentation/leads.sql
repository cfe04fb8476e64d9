/* eddy
description: Product-qualified leads, for marketing - free users who use the product like customers and want our mail.
tests:
  - unique: [email]
*/
select *
from presentation.contacts
where plan = 'free' and lead_score >= 25 and marketing_opt_in
