/* eddy
description: One row per order, its newest version. A refund, and an order that a till delivers late, arrive in later files.
tests:
  - not_null: [order_id, customer_id, product_id, amount, ordered_at]
  - unique: [order_id]
  - accepted_values: {status: [paid, pending, refunded]}
  - relationships: {product_id: clean.products.product_id}
*/
select
  order_id,
  customer_id,
  product_id,
  quantity,
  unit_price,
  discount,
  amount,
  status,
  ordered_at,
  updated_at
from raw.shop_orders
qualify row_number() over (partition by order_id order by updated_at desc) = 1
