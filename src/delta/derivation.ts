import type {Reason} from './reason.ts';
import type {Column, Expression} from '../relation/expression.ts';
import {columnName} from '../relation/print.ts';
import {columnsOfRelation, inputsOf, scansOf} from '../relation/relation.ts';
import type {Relation, Scan, Staged} from '../relation/relation.ts';
import {prune} from '../relation/rewrite/prune.ts';
import type {TableName} from '../table-name.ts';
import {tableNameText} from '../table-name.ts';
import type {Program, SourceChange, Step} from './program.ts';

/** A relation's change: its own columns, and how many copies of each row came (+) or went (−). */
export type Change = {readonly relation: Relation; readonly weight: Column};

/** What one differentiation gathers on its way: steps, reasons, and ids nobody else has. */
export class Derivation {
  readonly steps: Step[] = [];
  readonly reasons: Reason[] = [];
  readonly changes: readonly SourceChange[];
  recomputed: Program['recomputed'] = 'none';
  #nextId: number;

  /** `isChanged`: whether anything came or went in a source. An unchanged one has no change and is not read for one. */
  constructor(relation: Relation, isChanged: (source: TableName) => boolean) {
    this.#nextId = 1 + largestId(relation);
    this.changes = sourceChanges(relation).filter(({source}) => isChanged(source));
  }

  column(name: string, type: string): Column {
    return {id: this.#nextId++, name, type};
  }

  /** Rows of a step that is added here, under columns of their own. */
  stage(kind: Step['kind'], what: string, derived: Relation): Staged {
    const relation = prune(derived);
    const name = `${kind}_${this.steps.length + 1}`;
    this.steps.push({kind, name, what, relation, reads: []});
    return {
      kind: 'staged',
      name,
      columns: columnsOfRelation(relation).map((made) => this.column(columnName(made), made.type)),
    };
  }

  /** Notes what recomputing the affected keys of a step reads: their own rows, or the whole input of an aggregate below. */
  recomputeKeys(keys: Staged, relation: Relation): void {
    this.recompute(readsWhole(relation) ? 'all' : 'keys');
    const index = this.steps.findIndex(({name}) => name === keys.name);
    const step = this.steps[index];
    if (step) this.steps[index] = {...step, reads: [...step.reads, ...restrictedScans(relation)]};
  }

  /** Groups are recomputed, all of them or those affected. */
  recompute(what: 'keys' | 'all'): void {
    if (this.recomputed !== 'all') this.recomputed = what;
  }

  /** Tries a part that may be declined; then it leaves nothing behind. */
  attempt(derive: () => Change | null): {readonly change: Change | null; readonly isDeclined: boolean} {
    const [steps, reasons] = [this.steps.length, this.reasons.length];
    const change = derive();
    const isDeclined = this.reasons.length > reasons;
    if (isDeclined) {
      this.steps.length = steps;
      this.reasons.length = reasons;
    }
    return {change, isDeclined};
  }

  decline(reason: Reason): null {
    this.reasons.push(reason);
    return null;
  }

  changeOf({source}: Scan): SourceChange | undefined {
    return this.changes.find((change) => tableNameText(change.source) === tableNameText(source));
  }
}

/** One change for each source, of all the columns that any of its scans uses. */
function sourceChanges(relation: Relation): readonly SourceChange[] {
  const bySource = new Map<string, {source: TableName; columns: Set<string>}>();
  for (const {source, columns} of scansOf(relation)) {
    const text = tableNameText(source);
    const entry = bySource.get(text) ?? {source, columns: new Set<string>()};
    for (const {name} of columns) entry.columns.add(name);
    bySource.set(text, entry);
  }
  return [...bySource.values()].map(({source, columns}, i) => ({
    name: `source_change_${i + 1}`,
    source,
    columns: [...columns],
  }));
}

/** Whether an aggregate in it stands over rows that no key restricts. */
function readsWhole(relation: Relation): boolean {
  const isWhole = relation.kind === 'aggregate' && scansOf(relation).length > 0 && !isRestricted(relation.input);
  return isWhole || inputsOf(relation).some(readsWhole);
}

function isRestricted(relation: Relation): boolean {
  return relation.kind === 'restrict' || inputsOf(relation).some(isRestricted);
}

/** The scans of a relation with the restriction that stands directly on each, as relations that can be counted. */
function restrictedScans(relation: Relation): readonly Relation[] {
  if (relation.kind === 'scan') return [relation];
  if (relation.kind === 'restrict' && relation.input.kind === 'scan') return [relation];
  switch (relation.kind) {
    case 'staged':
    case 'values':
      return [];
    case 'join':
      return [...restrictedScans(relation.left), ...restrictedScans(relation.right)];
    case 'union-all':
      return relation.inputs.flatMap(restrictedScans);
    default:
      return restrictedScans(relation.input);
  }
}

function largestId(relation: Relation): number {
  let largest = 0;
  JSON.stringify(relation, (key, value: unknown) => {
    if (key === 'id' && typeof value === 'number') largest = Math.max(largest, value);
    return value;
  });
  return largest;
}

/** `expression` as an output under a column of its own. */
export function output(made: Column, expression: Expression): {column: Column; expression: Expression} {
  return {column: made, expression};
}
