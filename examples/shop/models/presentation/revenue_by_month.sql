/* eddy
description: Paid revenue by month and product category, from the star schema.
*/
select d.month, p.category, sum(f.amount) as revenue, count(*) as orders
from warehouse.fact_order f
join warehouse.dim_date d using (date_key)
join warehouse.dim_product p using (product_key)
where f.status = 'paid'
group by d.month, p.category
