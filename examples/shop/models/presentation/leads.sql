/* eddy
description: Product-qualified leads, for marketing. Users of the free and the starter plan who use the product like bigger
  customers, and want our mail.
tests:
  - unique: [email]
*/
select *
from presentation.contacts
where plan in ('free', 'starter') and lead_score >= 25 and marketing_opt_in
