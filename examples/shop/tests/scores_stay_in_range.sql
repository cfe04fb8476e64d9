/* eddy
description: A score outside its scale is a mistake in a formula.
*/
select customer_id, lead_score, propensity, health_score
from presentation.customer_360
where lead_score not between 0 and 100 or propensity not between 0 and 1 or health_score not between 0 and 100
