/* eddy
description: Orders of unknown customers are tolerated up to two in a hundred.
*/
select share
from (select avg(cast(customer_key = 0 as integer)) as share from warehouse.fact_order)
where share > 0.02
