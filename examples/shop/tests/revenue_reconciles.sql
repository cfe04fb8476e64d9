/* eddy
description: The star schema holds every order, and every cent of it.
*/
with lake as (select count(*) as orders, sum(amount) as amount from clean.orders),
     star as (select count(*) as orders, sum(amount) as amount from warehouse.fact_order)
select lake.orders as lake_orders, star.orders as star_orders, lake.amount as lake_amount, star.amount as star_amount
from lake, star
where lake.orders <> star.orders or lake.amount <> star.amount
