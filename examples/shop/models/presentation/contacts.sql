/* eddy
description: Customers who can be written to. Where one address belongs to two customer numbers, the more valuable one stands for both.
tests:
  - not_null: [email, customer_id]
  - unique: [email]
*/
select *
from presentation.customer_360
where email is not null
qualify row_number() over (partition by email order by lifetime_value desc, customer_id) = 1
