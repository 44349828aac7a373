import {failOnce} from './fail-once.ts';
import type {VerifyInput, VerifyResult} from './messages.ts';
import {compute, locate} from './proxies.ts';
import {readVerifyInput} from './read-input.ts';

/** Whether a table equals its query at the table's data version. The rows that differ are in the metadata. */
export async function verifyDynamicTable(input: VerifyInput): Promise<VerifyResult> {
  return failOnce(async () => {
    const {table} = readVerifyInput(input);
    const site = await locate({table});
    return await compute(site).verify.executeWithOptions({summary: `compare ${table} with its query`}, [{table}]);
  });
}
