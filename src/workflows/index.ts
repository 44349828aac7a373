/** The workflow types: what a worker's bundle exports, by the names that Temporal shows. */
export {alterDynamicTable} from './alter-dynamic-table.ts';
export {applyMaintenance} from './apply-maintenance.ts';
export {applyRefresh} from './apply-refresh.ts';
export {createDynamicTable} from './create-dynamic-table.ts';
export {dropDynamicTable} from './drop-dynamic-table.ts';
export {explainDynamicTable} from './explain-dynamic-table.ts';
export {maintainDynamicTable} from './maintain-dynamic-table.ts';
export {refreshDynamicTable} from './refresh-dynamic-table.ts';
export {resumeDynamicTable} from './resume-dynamic-table.ts';
export {sendAlert} from './send-alert.ts';
export {suspendDynamicTable} from './suspend-dynamic-table.ts';
export {verifyDynamicTable} from './verify-dynamic-table.ts';
