/* eddy
description: |
  Everything the shop knows about one customer, in one row.

  lifetime_value   sum of paid orders
  lead_score       product-qualified lead, 0 to 100: up to 35 for active weeks (of 8), up to 30 for key actions (40 are plenty),
                   15 for inviting the team, 15 for looking at prices, 5 for wanting our mail
  propensity       probability to buy (more) in the next quarter, a logistic model: 1 / (1 + e^-z) with
                   z = -2.8 + 0.25 active weeks + 0.35 ln(1 + key actions) + 0.8 invited the team + 0.9 looked at prices
                       - 0.5 open tickets
                   The weights are the shop's own, fitted once on last year's upgrades, and stand here so that anybody can read them.
  health_score     0 to 100: 45, + 7 per active week, + 10 after a good rating, - 12 per open ticket, - 10 per bad rating,
                   - 15 after a refund, - 20 when not seen for three weeks
  customer_health  churned: a customer of more than eight weeks, not seen in any of them, who bought nothing for sixty days;
                   otherwise healthy from a health score of 70, watch from 40, at_risk below
  at_risk          has a paid plan and has not churned, but the health is at_risk or nobody has been seen for three weeks
tests:
  - not_null: [customer_id, lifetime_value, lead_score, propensity, customer_health, at_risk]
  - unique: [customer_id]
  - accepted_values: {customer_health: [healthy, watch, at_risk, churned]}
  - relationships: {customer_id: clean.customers.customer_id}
*/
with facts as (
  select
    c.*,
    coalesce(r.orders, 0) as orders,
    coalesce(r.lifetime_value, 0) as lifetime_value,
    coalesce(r.refunds, 0) as refunds,
    r.first_order_on,
    r.last_order_on,
    coalesce(u.active_weeks, 0) as active_weeks,
    coalesce(u.key_actions, 0) as key_actions,
    coalesce(u.team_invites, 0) as team_invites,
    coalesce(u.pricing_views, 0) as pricing_views,
    coalesce(u.seen_lately, false) or c.signed_up_on >= a.week - interval 2 weeks as seen_lately,  -- newcomers are not missing
    coalesce(s.open_tickets, 0) as open_tickets,
    coalesce(s.good_ratings, 0) as good_ratings,
    coalesce(s.bad_ratings, 0) as bad_ratings,
    coalesce(u.active_weeks, 0) = 0 and c.signed_up_on < a.week - interval 7 weeks
      and coalesce(r.last_order_on < a.day - interval 60 days, true) as churned
  from clean.customers c
  cross join clean.as_of a
  left join presentation.customer_revenue r using (customer_id)
  left join presentation.customer_usage u using (customer_id)
  left join presentation.customer_support s using (email)
),
scored as (
  select
    *,
    cast(round(
      35.0 * least(active_weeks, 8) / 8 + 30.0 * least(key_actions, 40) / 40
      + 15 * cast(team_invites > 0 as integer) + 15 * cast(pricing_views > 0 as integer) + 5 * cast(marketing_opt_in as integer)
    ) as integer) as lead_score,
    round(1 / (1 + exp(-(
      -2.8 + 0.25 * active_weeks + 0.35 * ln(1 + key_actions) + 0.8 * cast(team_invites > 0 as integer)
      + 0.9 * cast(pricing_views > 0 as integer) - 0.5 * open_tickets
    ))), 3) as propensity,
    cast(greatest(0, least(100,
      45 + 7 * active_weeks + 10 * cast(good_ratings > 0 as integer) - 12 * open_tickets - 10 * bad_ratings
      - 15 * cast(refunds > 0 as integer) - 20 * cast(not seen_lately as integer)
    )) as integer) as health_score
  from facts
),
judged as (
  select
    *,
    case when churned then 'churned' when health_score >= 70 then 'healthy' when health_score >= 40 then 'watch' else 'at_risk'
      end as customer_health
  from scored
)
select
  customer_id, email, first_name, last_name, company, country, plan, signed_up_on, marketing_opt_in,
  orders, lifetime_value, first_order_on, last_order_on,
  active_weeks, key_actions, team_invites, open_tickets,
  lead_score,
  propensity,
  health_score,
  customer_health,
  plan <> 'free' and customer_health <> 'churned' and (customer_health = 'at_risk' or not seen_lately) as at_risk,
  case
    when plan <> 'free' and orders > 0 then 'customer'
    when lead_score >= 60 then 'salesqualifiedlead'
    when lead_score >= 40 then 'marketingqualifiedlead'
    when lead_score > 5 then 'lead'
    else 'subscriber'
  end as stage
from judged
