/** What applications import. */
export {
  FreshetClient,
  type ClientOptions,
  type DynamicTable,
  type DynamicTableDetails,
  type Progress,
  type RefreshHandle,
  type StatementResult,
  type TableNow,
  type Verification,
} from './client.ts';
export {FreshetError, type ErrorCode, type Position} from './errors.ts';
export type {Suspension} from './metadata/dynamic-table.ts';
export type {HistoryEntry} from './metadata/refresh.ts';
export type {Difference} from './metadata/verification.ts';
export type {RefreshInput, RefreshResult, RefreshSummary} from './refresh/messages.ts';
export type {
  Alert,
  CreateResult,
  DropResult,
  Explanation,
  RefreshProgress,
  MaintainResult,
  ResumeResult,
} from './workflows/messages.ts';
