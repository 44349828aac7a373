import {workflowInfo} from '@temporalio/workflow';
import {parseStatement} from '../definition/parse.ts';
import {FreshetError} from '../errors.ts';
import {tableNameText} from '../table-name.ts';
import {failOnce} from './fail-once.ts';
import type {AlterInput, AlterResult} from './messages.ts';
import {compute, locate} from './proxies.ts';
import {readAlterInput} from './read-input.ts';

/** Changes what a dynamic table is. What a terminated run has left is ended by the next statement or refresh. */
export async function alterDynamicTable(input: AlterInput): Promise<AlterResult> {
  return failOnce(async () => {
    const {statement} = readAlterInput(input);
    const parsed = parseStatement(statement);
    if (parsed.kind !== 'alter') throw new FreshetError('syntax', 'This is no ALTER DYNAMIC TABLE statement.');
    const site = await locate({table: tableNameText(parsed.table)});
    const {table, incarnation} = site;
    if (table === null || incarnation === null) throw new FreshetError('internal', 'A table was located, and is not.');
    const {workflowId, runId} = workflowInfo();
    return await compute(site).alterTable.executeWithOptions({summary: `alter ${table}`}, [
      {statement, table, incarnation, run: {workflowId, runId}},
    ]);
  });
}
