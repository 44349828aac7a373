import {executeChild, proxyActivities} from '@temporalio/workflow';
import type {refreshDynamicTable} from 'freshet/workflows';
import type * as activities from './activities.js';

const {loadOrders, bestCustomers} = proxyActivities<typeof activities>({startToCloseTimeout: '10 minutes'});

export type Report = {readonly orders: number; readonly best: readonly activities.Customer[]};

/** Writes a day's orders to the lake, today's by default, refreshes what is made of them, and goes on with the answer. */
export async function nightlyLoad(day = new Date().toISOString().slice(0, 10)): Promise<Report> {
  const orders = await loadOrders(day);
  const {publication} = await executeChild<typeof refreshDynamicTable>('refreshDynamicTable', {
    args: [{table: 'sales'}],
  });
  // What this refresh has published, whatever others load and refresh meanwhile.
  const best = publication === null ? [] : await bestCustomers(publication.snapshot);
  return {orders, best};
}
