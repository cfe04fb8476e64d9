/* eddy
description: One row per order. An order of somebody the customer list does not know belongs to the unknown customer, and is counted.
materialize: fact
key: order_id
dimensions:
  customer_key: {dimension: warehouse.dim_customer, key: customer_id}
  product_key: {dimension: warehouse.dim_product, key: product_id}
references: {date_key: warehouse.dim_date}
*/
select
  order_id,
  cast(strftime(ordered_at, '%Y%m%d') as integer) as date_key,
  customer_id,
  product_id,
  quantity,
  discount,
  amount,
  status,
  ordered_at
from clean.orders
