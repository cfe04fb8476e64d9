/* eddy
description: Paid revenue by month, product category and the customer's country, from the star schema.
*/
select d.month, p.category, coalesce(c.country, 'unknown') as country, sum(f.amount) as revenue, count(*) as orders
from warehouse.fact_order f
join warehouse.dim_date d using (date_key)
join warehouse.dim_product p using (product_key)
join warehouse.dim_customer c using (customer_key)
where f.status = 'paid'
group by all
