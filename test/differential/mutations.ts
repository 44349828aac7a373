import type * as aggregateModule from '../../src/delta/aggregate.ts';
import type {Change, Derivation} from '../../src/delta/derivation.ts';
import type * as differentiateModule from '../../src/delta/differentiate.ts';
import type * as filterModule from '../../src/delta/filter.ts';
import type * as joinModule from '../../src/delta/join.ts';
import type {Root} from '../../src/delta/program.ts';
import type * as mergeModule from '../../src/delta/merge.ts';
import type {Groups} from '../../src/delta/merge.ts';
import type * as functionsModule from '../../src/relation/aggregate-functions.ts';
import type * as projectModule from '../../src/delta/project.ts';
import type * as rootModule from '../../src/delta/root.ts';
import type * as scanModule from '../../src/delta/scan.ts';
import type * as unionAllModule from '../../src/delta/union-all.ts';
import type * as applyModule from '../../src/refresh/apply.ts';
import {column, type Expression} from '../../src/relation/expression.ts';
import {columnsOfRelation, mapInputs, type Relation, type Scan} from '../../src/relation/relation.ts';
import {raw} from '../../src/sql.ts';

/**
 * A rule made wrong on purpose: `wrong` gets a module as it is and answers the exports that take the place of its own. What
 * needs no hook in the code that it spoils.
 */
export type Mutation = {
  readonly title: string;
  readonly module: string;
  readonly wrong: (module: never) => Readonly<Record<string, unknown>>;
};

/** Ties the type of `wrong` to the module that it spoils. */
function mutation<Module>(
  title: string,
  module: string,
  wrong: (module: Module) => Partial<Record<keyof Module, unknown>>,
): Mutation {
  return {title, module: `../../src/${module}`, wrong};
}

type Rule<R extends Relation> = (relation: R, derivation: Derivation) => Change | null;

export const mutations: readonly Mutation[] = [
  mutation<typeof scanModule>('scan: what came goes and what went comes', 'delta/scan.ts', ({scan}) => ({
    scan: afterwards(scan, (change, derivation) => reweighed(change, derivation, (weight) => call('-', weight))),
  })),
  mutation<typeof scanModule>('scan: deletions are forgotten', 'delta/scan.ts', ({scan}) => ({
    scan: afterwards(scan, (change) => only(change, '>')),
  })),
  mutation<typeof scanModule>('scan: insertions are forgotten', 'delta/scan.ts', ({scan}) => ({
    scan: afterwards(scan, (change) => only(change, '<')),
  })),
  mutation<typeof scanModule>('scan: of several equal rows one counts', 'delta/scan.ts', ({scan}) => ({
    scan: afterwards(scan, (change, derivation) => reweighed(change, derivation, (weight) => call('sign', weight))),
  })),
  mutation<typeof filterModule>('filter: everything passes', 'delta/filter.ts', ({filter}) => ({
    filter: (relation: Relation & {kind: 'filter'}, derivation: Derivation) =>
      filter({...relation, condition: constant('true', 'BOOLEAN')}, derivation),
  })),
  mutation<typeof projectModule>('project: weights are lost', 'delta/project.ts', ({project}) => ({
    project: afterwards(project, (change, derivation) => reweighed(change, derivation, () => constant('1', 'BIGINT'))),
  })),
  mutation<typeof unionAllModule>('union: only the first part changes', 'delta/union-all.ts', ({unionAll}) => ({
    unionAll: afterwards(unionAll, (change) => ({...change, relation: firstPart(change.relation)})),
  })),
  mutation<typeof joinModule>('join: both sides of a change are read at the new end', 'delta/join.ts', ({join}) => ({
    join: afterwards(join, (change) => ({...change, relation: readAt(change.relation, () => 'new')})),
  })),
  mutation<typeof joinModule>('join: both sides of a change are read at the old end', 'delta/join.ts', ({join}) => ({
    join: afterwards(join, (change) => ({...change, relation: readAt(change.relation, () => 'old')})),
  })),
  mutation<typeof joinModule>('join: only the first side that changes is a term', 'delta/join.ts', ({join}) => ({
    join: afterwards(join, (change) => ({...change, relation: firstPart(change.relation)})),
  })),
  mutation<typeof joinModule>('join: only the last side that changes is a term', 'delta/join.ts', ({join}) => ({
    join: afterwards(join, (change) => ({...change, relation: lastPart(change.relation)})),
  })),
  mutation<typeof aggregateModule>(
    'aggregate: keys come from the new end only',
    'delta/aggregate.ts',
    ({affected}) => ({
      affected: withOtherKeys(affected, (keys) => overWeights(keys, '>')),
    }),
  ),
  mutation<typeof aggregateModule>(
    'aggregate: keys come from the old end only',
    'delta/aggregate.ts',
    ({affected}) => ({
      affected: withOtherKeys(affected, (keys) => overWeights(keys, '<')),
    }),
  ),
  mutation<typeof aggregateModule>('aggregate: a key that is NULL is lost', 'delta/aggregate.ts', ({affected}) => ({
    affected: withOtherKeys(affected, withoutNulls),
  })),
  mutation<typeof aggregateModule>(
    'aggregate: the old answer is not taken away',
    'delta/aggregate.ts',
    ({aggregate}) => ({
      aggregate: afterwards(aggregate, (change) => ({...change, relation: firstPart(change.relation)})),
    }),
  ),
  mutation<typeof rootModule>('root: a group that HAVING turns away stays', 'delta/root.ts', ({root}) => ({
    root: onRoot(root, (made) => (made.kind === 'keys' ? {...made, fresh: withoutFilters(made.fresh)} : made)),
  })),
  mutation<typeof rootModule>('root: a total that has changed is not computed again', 'delta/root.ts', ({root}) => ({
    root: onRoot(root, (made) => (made.kind === 'whole' ? {kind: 'unchanged'} : made)),
  })),
  mutation<typeof rootModule>('root: of a key of several columns only the first counts', 'delta/root.ts', ({root}) => ({
    root: onRoot(root, (made) => (made.kind === 'keys' ? {...made, on: made.on.slice(0, 1)} : made)),
  })),
  mutation<typeof mergeModule>('merge: what went is forgotten', 'delta/merge.ts', ({changeOfGroups}) => ({
    changeOfGroups: (...[groups, change, derivation]: Parameters<typeof changeOfGroups>) =>
      changeOfGroups(groups, only(change, '>'), derivation),
  })),
  mutation<typeof mergeModule>('merge: of several equal rows one counts', 'delta/merge.ts', ({changeOfGroups}) => ({
    changeOfGroups: (...[groups, change, derivation]: Parameters<typeof changeOfGroups>) =>
      changeOfGroups(
        groups,
        reweighed(change, derivation, (weight) => call('sign', weight)),
        derivation,
      ),
  })),
  mutation<typeof mergeModule>('merge: what terms take back counts as come and gone', 'delta/merge.ts', (merge) => ({
    changeOfGroups: (...[groups, change, derivation]: Parameters<typeof merge.changeOfGroups>) =>
      unnettedGroups(merge.changeOfGroups(groups, change, derivation), change),
  })),
  mutation<typeof mergeModule>('merge: {5, NULL} − 5 is 0', 'delta/merge.ts', ({groupsOf}) => ({
    groupsOf: onGroups(groupsOf, (groups) => ({
      ...groups,
      answers: groups.answers.map((answer) => ({...answer, expression: withoutNone(answer.expression)})),
    })),
  })),
  mutation<typeof mergeModule>('merge: a group without rows stays', 'delta/merge.ts', ({groupsOf}) => ({
    groupsOf: onGroups(groupsOf, (groups) => ({...groups, rows: null})),
  })),
  mutation<typeof mergeModule>('merge: a mean is rounded as numbers are divided', 'delta/merge.ts', ({groupsOf}) => ({
    groupsOf: onGroups(groupsOf, (groups) => ({...groups, means: []})),
  })),
  mutation<typeof functionsModule>('merge: a FILTER is forgotten', 'relation/aggregate-functions.ts', ({merging}) => ({
    merging: (given: Parameters<typeof merging>[0]) => merging({...given, filter: null}),
  })),
  mutation<typeof functionsModule>(
    'merge: of equal values each counts',
    'relation/aggregate-functions.ts',
    ({merging}) => ({
      merging: (given: Parameters<typeof merging>[0]) => merging({...given, distinct: false}),
    }),
  ),
  mutation<typeof rootModule>('merge: an extreme that went stays', 'delta/root.ts', ({root}) => ({
    root: onRoot(root, (made) => (made.kind === 'merge' ? {...made, lost: null} : made)),
  })),
  mutation<typeof rootModule>('merge: a group that HAVING turns away stays', 'delta/root.ts', ({root}) => ({
    root: onRoot(root, (made) =>
      made.kind === 'merge' ? {...made, fresh: {...made.fresh, relation: withoutFilters(made.fresh.relation)}} : made,
    ),
  })),
  mutation<typeof rootModule>(
    'merge: of a key of several columns only the first counts',
    'delta/root.ts',
    ({root}) => ({
      root: onRoot(root, (made) => (made.kind === 'merge' ? {...made, on: made.on.slice(0, 1)} : made)),
    }),
  ),
  mutation<typeof applyModule>('merge: a key that is NULL has no group', 'refresh/apply.ts', ({rootStatements}) => ({
    rootStatements: onStatements(rootStatements, (text) =>
      text.replaceAll(/IS NOT DISTINCT FROM change\./g, '= change.'),
    ),
  })),
  mutation<typeof applyModule>('merge: what is kept is not carried on', 'refresh/apply.ts', ({rootStatements}) => ({
    rootStatements: onStatements(rootStatements, (text) =>
      /^CREATE TEMP TABLE groups_(stale|added)/.test(text) ? `${text} WHERE false` : text,
    ),
  })),
  mutation<typeof applyModule>(
    'merge: groups that were read anew are not kept',
    'refresh/apply.ts',
    ({rootStatements}) => ({
      rootStatements: onStatements(rootStatements, (text) =>
        text.startsWith('INSERT INTO groups') ? `${text} WHERE false` : text,
      ),
    }),
  ),
  mutation<typeof differentiateModule>(
    'differentiate: of two changed sources one is overlooked',
    'delta/differentiate.ts',
    ({differentiate}) => ({
      differentiate: (...[relation, isChanged, merges]: Parameters<typeof differentiate>) => {
        let seen = 0;
        return differentiate(relation, (source) => isChanged(source) && seen++ === 0, merges);
      },
    }),
  ),
  mutation<typeof applyModule>('apply: the change is not netted', 'refresh/apply.ts', ({rootStatements}) => ({
    rootStatements: onStatements(rootStatements, unnetted),
  })),
  mutation('identity: −0.0 is taken for 0.0', 'relation/identity.ts', () => ({identityTerms: () => []})),
  mutation(
    'names: a key that is NULL is looked for with IN',
    'activities/names.ts',
    ({Facts}: {Facts: new () => object}) => ({
      Facts: class extends Facts {
        mayBeNull(): boolean {
          return false;
        }
      },
    }),
  ),
];

function afterwards<R extends Relation>(
  rule: Rule<R>,
  spoil: (change: Change, derivation: Derivation) => Change,
): Rule<R> {
  return (relation, derivation) => {
    const change = rule(relation, derivation);
    return change && spoil(change, derivation);
  };
}

function reweighed(
  {relation, weight}: Change,
  derivation: Derivation,
  change: (weight: Expression) => Expression,
): Change {
  const other = derivation.column('weight', 'BIGINT');
  const kept = columnsOfRelation(relation).filter(({id}) => id !== weight.id);
  const outputs = [
    ...kept.map((one) => ({column: one, expression: column(one)})),
    {column: other, expression: change(column(weight))},
  ];
  return {relation: {kind: 'project', input: relation, outputs}, weight: other};
}

/** Only what came (`>`) or went (`<`). */
function only({relation, weight}: Change, operator: '<' | '>'): Change {
  const condition: Expression = {kind: 'compare', operator, left: column(weight), right: constant('0', 'BIGINT')};
  return {relation: {kind: 'filter', input: relation, condition}, weight};
}

function firstPart(relation: Relation): Relation {
  return relation.kind === 'union-all' ? {...relation, inputs: relation.inputs.slice(0, 1)} : relation;
}

function lastPart(relation: Relation): Relation {
  return relation.kind === 'union-all' ? {...relation, inputs: relation.inputs.slice(-1)} : relation;
}

function readAt(relation: Relation, end: (scan: Scan) => Scan['at']): Relation {
  if (relation.kind === 'scan') return {...relation, at: end(relation)};
  return mapInputs(relation, (input) => readAt(input, end));
}

type Affected = typeof aggregateModule.affected;

/** The step that stages the keys is another one. */
function withOtherKeys(affected: Affected, other: (keys: Relation) => Relation): Affected {
  return (relation, derivation) => {
    const stage = derivation.stage.bind(derivation);
    derivation.stage = (kind, what, derived) =>
      stage(kind, what, what.startsWith('groups of') ? other(derived) : derived);
    try {
      return affected(relation, derivation);
    } finally {
      derivation.stage = stage;
    }
  };
}

function overWeights(keys: Relation, operator: '<' | '>'): Relation {
  return mapInputs(keys, (input) => {
    const weight = columnsOfRelation(input).findLast(({name}) => /^weight(_\d+)?$/.test(name))!; // Every change has one.
    return only({relation: input, weight}, operator).relation;
  });
}

function withoutNulls(keys: Relation): Relation {
  const isThere = columnsOfRelation(keys).map((key): Expression => ({
    kind: 'operator',
    operator: 'IS NOT NULL',
    arguments: [column(key)],
    type: 'BOOLEAN',
  }));
  return {kind: 'filter', input: keys, condition: {kind: 'logical', operator: 'and', arguments: isThere}};
}

function onRoot(root: typeof rootModule.root, spoil: (made: Root) => Root): typeof rootModule.root {
  return (relation, derivation, merges) => {
    const made = root(relation, derivation, merges);
    return made && spoil(made);
  };
}

type GroupsOf = typeof mergeModule.groupsOf;

function onGroups(groupsOf: GroupsOf, spoil: (groups: Groups) => Groups): GroupsOf {
  return (top, derivation) => {
    const groups = groupsOf(top, derivation);
    return groups && spoil(groups);
  };
}

/** What is answered where there is nothing is not answered any more. */
function withoutNone(answer: Expression): Expression {
  return answer.kind === 'case' && answer.branches[0]?.then.kind === 'constant' ? answer.otherwise : answer;
}

/** Rows that cancel each other are told apart by their weights. */
function unnettedGroups(change: Relation, {weight}: Change): Relation {
  if (change.kind !== 'aggregate' || change.input.kind !== 'aggregate') return change;
  const netted = change.input;
  const keys = [...netted.keys, {column: {...weight, id: -1}, expression: column(weight)}];
  return {...change, input: {...netted, keys}};
}

type Statements = typeof applyModule.rootStatements;

function onStatements(rootStatements: Statements, spoil: (text: string) => string): Statements {
  return (...input) =>
    rootStatements(...input).map((statement) => ({...statement, text: raw(spoil(statement.text.text))}));
}

function withoutFilters(relation: Relation): Relation {
  if (relation.kind === 'filter') return withoutFilters(relation.input);
  return relation.kind === 'project' ? {...relation, input: withoutFilters(relation.input)} : relation;
}

function unnetted(text: string): string {
  return text
    .replace('CAST(sum(weight) AS BIGINT) AS copies', 'weight AS copies')
    .replace(/GROUP BY .*\nHAVING sum\(weight\).*/, '');
}

function call(name: string, input: Expression): Expression {
  return {kind: 'call', name, arguments: [input], type: 'BIGINT'};
}

function constant(sql: string, type: string): Expression {
  return {kind: 'constant', sql: `CAST(${sql} AS ${type})`, type};
}
