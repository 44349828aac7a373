import {failOnce} from './fail-once.ts';
import type {AlterInput, AlterResult} from './messages.ts';
import {compute, locate} from './proxies.ts';
import {readAlterInput} from './read-input.ts';

/** Changes what a dynamic table is. What a terminated run has left is ended by the next statement or refresh. */
export async function alterDynamicTable(input: AlterInput): Promise<AlterResult> {
  return failOnce(async () => {
    const request = readAlterInput(input);
    const site = await locate({table: null});
    return await compute(site).alterTable.executeWithOptions({summary: 'alter the table'}, [request]);
  });
}
