import {storedColumn} from '../binder/bound.ts';
import {defaultSettings} from '../definition/definition.ts';
import {parseStatement} from '../definition/parse.ts';
import {bareQuery, type Query} from '../definition/statement.ts';
import {reasonText} from '../delta/reason.ts';
import {currentSnapshot} from '../lake/catalog.ts';
import {groupsTable} from '../lake/state.ts';
import type {StoredDefinition} from '../lake/state.ts';
import {explain as explained} from '../refresh/explain.ts';
import {tableNameText, type TableName} from '../table-name.ts';
import type {ExplainInput, Explanation} from '../workflows/messages.ts';
import {bindAt, type BoundAt} from './bound-at.ts';
import {findTables} from './choose-version.ts';
import type {Deps} from './deps.ts';
import {fullReasons, type RefreshContext} from './look-up-snapshots.ts';
import {versionsOf} from './versions.ts';

type Subject = {readonly table: TableName | null; readonly definition: StoredDefinition; readonly query: Query};

/** How a statement, a query or a table would be refreshed, as of now, and why. */
export async function explain(deps: Deps & Pick<RefreshContext, 'signal'>, input: ExplainInput): Promise<Explanation> {
  const subject = 'table' in input ? await subjectOfTable(deps, input.table) : subjectOfStatement(input.statement);
  const {definition, query} = subject;
  const {id: dataVersion} = await deps.lake.look(currentSnapshot, deps.signal);
  const boundAt = await bindAt(deps.lake, definition, query, versionsOf({dataVersion, upstreams: {}}), {
    signal: deps.signal,
  });
  return explanation(subject, boundAt, deps.lake.name);
}

async function subjectOfTable(deps: Deps, name: string): Promise<Subject> {
  const {table} = await findTables(deps, {table: name, trigger: 'manual'});
  const {definition} = table;
  return {table: definition.table, definition, query: bareQuery(definition.query)};
}

/** A CREATE DYNAMIC TABLE statement, or a query alone under the options that would hold without any. */
function subjectOfStatement(statement: string): Subject {
  const parsed = parseStatement(statement);
  if (parsed.kind === 'create') {
    const {table, options, query} = parsed;
    return {
      table,
      definition: {table, query: query.text, options, settings: defaultSettings, reached: [], distrust: null},
      query,
    };
  }
  const text = statement.trim().replace(/;\s*$/, '');
  const definition = {...nameless, query: text, settings: defaultSettings, reached: [], distrust: null};
  return {table: null, definition, query: bareQuery(text)};
}

const nameless = {
  table: {schema: 'main', name: 'result'},
  options: {
    targetLag: {kind: 'downstream'},
    refreshMode: 'AUTO',
    initialize: 'ON_CREATE',
    cardinalityThreshold: 0.3,
    comment: null,
  },
} as const;

function explanation({table, definition, query}: Subject, {bound}: BoundAt, lake: string): Explanation {
  const {reading, outputs, sources} = bound;
  const reasons = [
    ...(definition.options.refreshMode === 'FULL' ? ['REFRESH_MODE = FULL'] : []),
    ...fullReasons(reading).map(reasonText),
    ...bound.volatileFunctions.map((functionName) => reasonText({kind: 'volatile', functionName})),
  ];
  const way =
    reading.kind === 'relation'
      ? explained(reading.relation, outputs, {lake, table: definition.table, groups: groupsTable(definition.table)})
      : null;
  return {
    table: table === null ? null : tableNameText(table),
    query: query.text,
    mode: reasons.length > 0 ? 'full' : 'incremental',
    reasons,
    columns: outputs.map(storedColumn),
    sources: sources.map((source) => ({table: tableNameText(source.table), columns: source.columns})),
    relation: way?.relation ?? null,
    statements:
      reasons.length > 0 || way === null ? [] : way.statements.map(({label, text}) => ({label, sql: text.text})),
  };
}
