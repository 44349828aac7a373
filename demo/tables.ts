/** A dynamic table of the demo: who would keep it, and the statement that creates it. */
export type DemoTable = {readonly name: string; readonly purpose: string; readonly statement: string};

/**
 * In the order in which they are created. Lags are long, so that no scheduled refresh takes the work away from the demo, which
 * asks for each refresh itself in order to show what it did.
 */
export const tables: readonly DemoTable[] = [
  {
    name: 'route_performance',
    purpose: 'flights and lateness of every route, with both airports as they are called today (two joins)',
    statement: `
CREATE DYNAMIC TABLE route_performance
  TARGET_LAG = '1 day'
AS
SELECT f.origin, o.name AS origin_name, o.state AS origin_state,
       f.destination, d.name AS destination_name, d.state AS destination_state,
       count(*) AS flights, sum(f.distance) AS miles, avg(f.delay) AS average_delay,
       count(*) FILTER (WHERE f.delay > 15) AS late_flights
FROM flights f
JOIN airports o ON f.origin = o.iata
JOIN airports d ON f.destination = d.iata
GROUP BY ALL`,
  },
  {
    name: 'daily_route_delays',
    purpose: 'median and other quantiles of the delay, per day and route',
    statement: `
CREATE DYNAMIC TABLE daily_route_delays
  TARGET_LAG = '1 day'
AS
SELECT date::DATE AS day, origin, destination, count(*) AS flights,
       median(delay) AS median_delay, quantile_cont(delay, 0.9) AS delay_p90, max(delay) AS worst_delay
FROM flights
GROUP BY day, origin, destination`,
  },
  {
    name: 'late_flights',
    purpose: 'every flight that was two hours late or more, for the people who answer the letters',
    statement: `
CREATE DYNAMIC TABLE late_flights
  TARGET_LAG = '1 day'
AS
SELECT date AS scheduled, origin, destination, round(delay / 60, 1) AS hours_late
FROM flights
WHERE delay >= 120`,
  },
  {
    name: 'airport_days',
    purpose: 'departures of every airport and day; refreshed only when a reader asks (DOWNSTREAM)',
    statement: `
CREATE DYNAMIC TABLE airport_days
  TARGET_LAG = DOWNSTREAM
AS
SELECT date::DATE AS day, origin AS airport, count(*) AS departures, sum(delay) AS minutes_late,
       count(*) FILTER (WHERE delay > 15) AS late_departures
FROM flights
GROUP BY day, airport`,
  },
  {
    name: 'airport_punctuality',
    purpose: 'departures and lateness of every airport, over airport_days',
    statement: `
CREATE DYNAMIC TABLE airport_punctuality
  TARGET_LAG = '1 day'
AS
SELECT t.airport, a.name, a.state, sum(t.departures) AS departures, sum(t.late_departures) AS late_departures,
       max(t.departures) AS most_in_a_day
FROM airport_days t
JOIN airports a ON t.airport = a.iata
GROUP BY t.airport, a.name, a.state`,
  },
  {
    name: 'worst_departures',
    purpose: 'the three longest delays of every airport; a window function, so each refresh is full',
    statement: `
CREATE DYNAMIC TABLE worst_departures
  TARGET_LAG = '1 day'
AS
SELECT origin, date AS scheduled, destination, delay,
       rank() OVER (PARTITION BY origin ORDER BY delay DESC) AS place
FROM flights
QUALIFY place <= 3`,
  },
];
