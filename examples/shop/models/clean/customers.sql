/* eddy
description: One row per customer number, the newest copy; spelling made equal. An address that cannot be one is null.
tests:
  - not_null: [customer_id, plan, signed_up_on]
  - unique: [customer_id]
  - accepted_values: {plan: [free, starter, pro, enterprise]}
*/
with typed as (
  select
    trim(customer_id) as customer_id,
    lower(trim(email)) as email,
    trim(first_name) as first_name,
    trim(last_name) as last_name,
    trim(company) as company,
    upper(trim(country)) as country,
    lower(trim(plan)) as plan,
    cast(signed_up_on as date) as signed_up_on,
    lower(trim(cast(marketing_opt_in as varchar))) in ('yes', 'true') as marketing_opt_in,
    cast(updated_at as timestamp) as updated_at
  from raw.shop_customers
)
select
  * replace (
    case when regexp_full_match(email, '[^@\s]+@[^@\s]+\.[^@\s.]+') then email end as email,
    case country when 'GERMANY' then 'DE' when 'FRANCE' then 'FR' when 'UK' then 'GB' when 'USA' then 'US' when '' then null
      else country end as country
  )
from typed
qualify row_number() over (partition by customer_id order by updated_at desc, company) = 1
