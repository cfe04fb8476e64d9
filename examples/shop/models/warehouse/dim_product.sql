/* eddy
description: What was bought.
materialize: dimension
key: product_id
unknown: {name: "'unknown'", category: "'unknown'"}
*/
select product_id, name, category, unit_price
from clean.products
