import {failOnce} from './fail-once.ts';
import type {DropInput, DropResult} from './messages.ts';
import {compute, light, locate} from './proxies.ts';
import {readDropInput} from './read-input.ts';

/** Takes a dynamic table away. Once begun it goes on to its end: what a terminated run has left, the next one takes away. */
export async function dropDynamicTable(input: DropInput): Promise<DropResult> {
  return failOnce(async () => {
    const request = readDropInput(input);
    const site = await locate({table: null});
    const {table} = request;
    const found = await light.beginDrop.executeWithOptions({summary: `nobody reads ${table}?`}, [request]);
    if (found === null) return {table, outcome: 'absent'};
    await compute(site).removeTable.executeWithOptions({summary: `remove ${table}`}, [found]);
    return {table, outcome: 'dropped'};
  });
}
