import type {Outcome} from './outcome.ts';

/** Counts outcomes for the closing line. */
export class Tally {
  readonly #started = performance.now();
  #scenarios = 0;
  #incremental = 0;
  #full = 0;
  #errors = 0;
  /** Scenarios in which some table was not its query. */
  differing = 0;

  count({mode, error, initial, steps}: Outcome): void {
    this.#scenarios++;
    if (error !== null) this.#errors++;
    else if (mode === 'FULL') this.#full++;
    else this.#incremental++;
    if ([initial, ...steps].some((contents) => contents?.equal === false)) this.differing++;
  }

  closingLine(): string {
    const seconds = Math.round((performance.now() - this.#started) / 1000);
    const counts = [`${this.#incremental} incremental`, `${this.#full} full`, `${this.#errors} with an error`];
    const differing = this.differing > 0 ? `, ${this.differing} DIFFERING FROM THEIR QUERY` : '';
    return `${this.#scenarios} scenarios in ${seconds} s: ${counts.join(', ')}${differing}`;
  }
}
