import {isLakeError} from '../src/lake/errors.ts';
import type {Lake} from '../src/lake/lake.ts';
import type {Publication} from '../src/refresh/messages.ts';
import {inputsOf, type Relation} from '../src/relation/relation.ts';
import {tableNameText} from '../src/table-name.ts';
import {compare, unsigned} from './compare.ts';
import {create, isCurrent, refresh, type Created, type Refreshed} from './engine.ts';
import {messageOf, type Contents, type Difference, type Outcome, type Rows, type StepOutcome} from './outcome.ts';
import type {Answer, Outside} from './outside.ts';
import type {Scenario} from './scenario.ts';

/** What outcomes show. */
export type Shown = {
  /** Whether they show rows. */
  readonly rows: boolean;
  /** Whether each table is compared with its query, run afresh by somebody outside. */
  readonly check: boolean;
};

/** Rules by which DuckDB 1.5.5 itself answers some query wrongly: this one takes two subplans for one (regressions/common-subplan.jsonl). */
export const faultyOptimizers: readonly string[] = ['common_subplan'];

/** What the dynamic table of the scenario's view is called. */
const viewName = 'scenario_view';

/** Plays a scenario on a new lake. Throws when there is no dynamic table: a refused view, a setup that fails. */
export async function play(lake: Lake, outside: Outside, scenario: Scenario, options: Shown): Promise<Outcome> {
  for (const statement of scenario.setup) await outside.run(statement);
  const tables = new Tables(lake, outside, options);
  const definitions = [
    ...(scenario.chain?.upstream ?? []),
    {name: viewName, sql: scenario.chain?.view ?? scenario.view},
  ];
  for (const {name, sql} of definitions) await tables.create(name, sql);
  const {mode, reason} = tables.last();
  const initial = await tables.contents();
  const steps: StepOutcome[] = [];
  for (const statements of scenario.steps) {
    try {
      steps.push(await tables.step(statements));
    } catch (error) {
      return {id: scenario.id, mode, reason, error: messageOf(error), initial, steps};
    }
  }
  return {id: scenario.id, mode, reason, error: null, initial, steps};
}

type Table = Created & {publication: Publication | null};

/** The dynamic tables of a scenario, each after those it reads. */
class Tables {
  readonly #lake: Lake;
  readonly #outside: Outside;
  readonly #options: Shown;
  readonly #tables: Table[] = [];

  constructor(lake: Lake, outside: Outside, options: Shown) {
    this.#lake = lake;
    this.#outside = outside;
    this.#options = options;
  }

  last(): Table {
    return this.#tables.at(-1)!; // Callers have made one.
  }

  async create(name: string, query: string): Promise<void> {
    const made = await create(this.#lake, {schema: 'main', name}, query);
    this.#tables.push({...made, publication: null});
    await this.#refresh(await this.#outside.newestSnapshot());
  }

  /** A statement that fails ends the step; whatever was committed before it is taken in all the same. */
  async step(statements: readonly string[]): Promise<StepOutcome> {
    let error: string | undefined;
    for (const statement of statements) {
      error = await this.#outside.run(statement).then(() => undefined, messageOf);
      if (error !== undefined) break;
    }
    const dataVersion = await this.#outside.newestSnapshot();
    const {action, reason, recomputed} = await this.#refresh(dataVersion);
    const wrote = (await this.#outside.newestSnapshot()) > dataVersion;
    const contents = await this.contents();
    return {action, reason, recomputed, wrote, ...contents, ...(error === undefined ? {} : {error})};
  }

  /** All at one data version; answers what became of the last. */
  async #refresh(dataVersion: number): Promise<Refreshed> {
    let refreshed: Refreshed | undefined;
    for (const table of this.#tables) {
      const request = {
        table: table.table,
        dataVersion,
        upstreams: this.#published(),
        nodes: this.#tables.map(({node}) => node),
        last: table.publication,
      };
      const isDone = this.#options.check && table.publication !== null && (await isCurrent(this.#lake, request));
      refreshed = await refresh(this.#lake, request).catch((error: unknown) => {
        // A DuckDB that has broken is replaced, and the activity tried again.
        if (isLakeError(error, 'fatal')) return refresh(this.#lake, request);
        throw error;
      });
      if (isDone && refreshed.publication !== table.publication) {
        throw new Error(`${refreshed.action} of ${table.table.name}, although the catalog shows no change`);
      }
      table.publication = refreshed.publication;
    }
    return refreshed!; // There is one table at least.
  }

  #published(): Record<string, Publication> {
    const published = this.#tables.flatMap(({table, publication}) =>
      publication === null ? [] : [[tableNameText(table), publication] as const],
    );
    return Object.fromEntries(published);
  }

  async contents(): Promise<Contents> {
    const shown = this.#options.rows ? await this.#outside.query(`SELECT * FROM ${sqlName(this.last())}`) : null;
    return {...(shown === null ? {} : {rows: shown.rows}), ...(this.#options.check ? await this.#check() : {})};
  }

  async #check(): Promise<Contents> {
    for (const table of this.#tables) {
      const held = await this.#outside.query(`SELECT * FROM ${sqlName(table)}`);
      const difference =
        (await this.#difference(table, held)) && (await this.#difference(table, held, faultyOptimizers));
      if (difference !== null) return {equal: false, difference};
    }
    return {equal: true};
  }

  async #difference(table: Table, held: Answer, optimizersOff: readonly string[] = []): Promise<Difference | null> {
    const queried = await this.#outside.query(table.query, {optimizersOff});
    const isFloat = queried.types.map((type) => type === 'DOUBLE' || type === 'FLOAT');
    const isShown = table.relation === null || showsOneOfEqualFloats(table.relation);
    const signsAreOne = isShown || isFloat.some((is, place) => is && isRepeated(queried.rows, place));
    return compare(table.table.name, held.rows, queried.rows, {isFloat, signsAreOne});
  }
}

/** Values that stand several times are in a Parquet file's dictionary, which takes 0.0 and −0.0 for the same one, and any two NaNs. */
function isRepeated(rows: Rows, place: number): boolean {
  const values = rows.flatMap((row) => row[place] ?? []).map(unsigned);
  return 2 * new Set(values).size <= values.length;
}

/** Whether some aggregate takes 0.0 and −0.0 for one key, or for the smallest: which one it shows depends on the order. */
export function showsOneOfEqualFloats(relation: Relation): boolean {
  if (relation.kind === 'aggregate') {
    const columns = [...relation.keys, ...relation.aggregates].map(({column}) => column);
    if (columns.some(({type}) => /\b(DOUBLE|FLOAT)\b/.test(type))) return true;
  }
  return inputsOf(relation).some(showsOneOfEqualFloats);
}

function sqlName({table}: Table): string {
  return `lake."${table.schema}"."${table.name.replaceAll('"', '""')}"`;
}
