/* eddy
description: What the shop sells.
tests:
  - not_null: [product_id, name, category, unit_price]
  - unique: [product_id]
  - accepted_values: {category: [subscription, add-on, service, training, goods]}
*/
select product_id, name, category, cast(unit_price as decimal(10, 2)) as unit_price
from raw.shop_products
