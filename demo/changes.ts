/** Something that happens to the flights or the airports: what, and the SQL that does it. */
export type Change = {readonly title: string; readonly statement: string};

/** Flights from here on are kept back when the lake is loaded: they are the day that arrives later. */
export const lastDay = '2001-06-30';

export function changes(flightsFile: string): readonly Change[] {
  return [
    {
      title: 'A day of flights arrives: 30 June 2001',
      statement: `INSERT INTO flights SELECT * FROM ${flightsFile} WHERE date >= DATE '${lastDay}'`,
    },
    {
      title: "Thunderstorms over Chicago: the evening's flights from O'Hare on 29 June are cancelled",
      statement: `DELETE FROM flights WHERE origin = 'ORD' AND date BETWEEN '2001-06-29 18:00' AND '2001-06-29 23:59'`,
    },
    {
      title: 'An airport is renamed and moved to another state: Cincinnati Northern Kentucky, from KY to OH',
      statement: `UPDATE airports SET name = 'Cincinnati Intl', city = 'Cincinnati', state = 'OH' WHERE iata = 'CVG'`,
    },
    {
      title: 'A burst: delays since 1 May were measured at the runway, and are corrected by 3 minutes',
      statement: `UPDATE flights SET delay = delay + 3 WHERE date >= DATE '2001-05-01'`,
    },
    {
      title: 'A change that touches nothing: an airport is surveyed anew, and no table reads coordinates',
      statement: `UPDATE airports SET latitude = latitude + 0.0001 WHERE iata = 'CVG'`,
    },
  ];
}
