import {FreshetError} from '../errors.ts';
import type {RefreshInput} from '../refresh/messages.ts';
import {readTableName, tableNameText} from '../table-name.ts';
import type {
  AlterInput,
  AssumedTable,
  CreateInput,
  DropInput,
  ExplainInput,
  MaintainInput,
  ResumeInput,
  SuspendInput,
  VerifyInput,
} from './messages.ts';

/** Inputs come from hands, CLIs and other SDKs: each is looked at first, and a wrong one fails at once and says how it is written. */

export function readRefreshInput(input: unknown): RefreshInput {
  const {dataVersion, freshAt, full, trigger} = record(input, '{"table": "schema.name"}');
  if (dataVersion !== undefined && !(typeof dataVersion === 'number' && Number.isSafeInteger(dataVersion))) {
    throw wrong('dataVersion', 'the id of a snapshot');
  }
  if (full !== undefined && typeof full !== 'boolean') throw wrong('full', 'true or false');
  if (freshAt !== undefined && typeof freshAt !== 'string') throw wrong('freshAt', 'a time');
  if (trigger !== undefined && !isTrigger(trigger)) throw wrong('trigger', 'schedule, manual, upstream or create');
  return {
    table: readTable(input),
    ...(dataVersion === undefined ? {} : {dataVersion}),
    ...(freshAt === undefined ? {} : {freshAt}),
    ...(full === undefined ? {} : {full}),
    ...(trigger === undefined ? {} : {trigger}),
  };
}

export function readCreateInput(input: unknown): CreateInput {
  const {statement, dryRun, assumed} = record(input, '{"statement": "CREATE DYNAMIC TABLE …"}');
  if (typeof statement !== 'string') throw wrong('statement', 'the text of a CREATE DYNAMIC TABLE statement');
  return dryRun === true ? {statement, dryRun, ...readAssumed(assumed)} : {statement, dryRun: false};
}

export function readAlterInput(input: unknown): AlterInput {
  const {statement} = record(input, '{"statement": "ALTER DYNAMIC TABLE …"}');
  if (typeof statement !== 'string') throw wrong('statement', 'the text of an ALTER DYNAMIC TABLE statement');
  return {statement};
}

export function readDropInput(input: unknown): DropInput {
  return {table: readTable(input), ifExists: record(input, '').ifExists === true};
}

export function readSuspendInput(input: unknown): SuspendInput {
  return {table: readTable(input)};
}

export function readResumeInput(input: unknown): ResumeInput {
  return {table: readTable(input)};
}

export function readMaintainInput(input: unknown): MaintainInput {
  return {table: readTable(input)};
}

export function readVerifyInput(input: unknown): VerifyInput {
  return {table: readTable(input)};
}

export function readExplainInput(input: unknown): ExplainInput {
  const {statement} = record(input, '{"table": "schema.name"} or {"statement": "SELECT …"}');
  return typeof statement === 'string' ? {statement} : {table: readTable(input)};
}

function readAssumed(assumed: unknown): {readonly assumed?: readonly AssumedTable[]} {
  if (assumed === undefined) return {};
  if (!Array.isArray(assumed)) throw wrong('assumed', 'a list of tables, each with columns');
  return {assumed: assumed.map(readAssumedTable)};
}

function readAssumedTable(input: unknown): AssumedTable {
  const {columns} = record(input, '{"table": "schema.name", "columns": […]}');
  if (!Array.isArray(columns)) throw wrong('columns', 'a list of names and types');
  return {table: readTable(input), columns: columns.map(readAssumedColumn)};
}

function readAssumedColumn(input: unknown): AssumedTable['columns'][number] {
  const {name, type} = record(input, '{"name": "region", "type": "VARCHAR"}');
  if (typeof name !== 'string' || typeof type !== 'string') throw wrong('columns', 'a list of names and types');
  return {name, type};
}

function readTable(input: unknown): string {
  const {table} = record(input, '{"table": "schema.name"}');
  const name = typeof table === 'string' ? readTableName(table) : null;
  if (name === null) throw wrong('table', 'a name such as "schema.name"');
  return tableNameText(name);
}

function record(input: unknown, example: string): Readonly<Record<string, unknown>> {
  // An object of unknown values is all that is claimed here.
  if (typeof input === 'object' && input !== null) return input as Record<string, unknown>;
  throw new FreshetError('invalid_option', `The workflow's input must be an object such as ${example}.`);
}

function isTrigger(value: unknown): value is NonNullable<RefreshInput['trigger']> {
  return value === 'schedule' || value === 'manual' || value === 'upstream' || value === 'create';
}

function wrong(field: string, expected: string): FreshetError {
  return new FreshetError('invalid_option', `"${field}" in the workflow's input must be ${expected}.`);
}
