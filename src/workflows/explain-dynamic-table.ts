import {failOnce} from './fail-once.ts';
import type {ExplainInput, Explanation} from './messages.ts';
import {compute, locate} from './proxies.ts';
import {readExplainInput} from './read-input.ts';

/** How a statement or a table would be refreshed, and why. */
export async function explainDynamicTable(input: ExplainInput): Promise<Explanation> {
  return failOnce(async () => {
    const request = readExplainInput(input);
    const site = await locate({table: 'table' in request ? request.table : null});
    return await compute(site).explain.executeWithOptions({summary: 'bind and differentiate'}, [request]);
  });
}
