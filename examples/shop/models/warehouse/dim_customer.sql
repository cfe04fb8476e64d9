/* eddy
description: Who bought.
materialize: dimension
key: customer_id
unknown: {company: "'unknown'", plan: "'unknown'"}
*/
select customer_id, email, first_name, last_name, company, country, plan, signed_up_on
from clean.customers
