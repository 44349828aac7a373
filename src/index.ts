/** What applications import. */
export {
  FreshetClient,
  type ClientOptions,
  type DynamicTable,
  type DynamicTableDetails,
  type Progress,
  type RefreshHandle,
  type StatementResult,
  type Suspension,
  type TableNow,
  type Verification,
} from './client.ts';
export {readClientConfig, type ClientConfig} from './config.ts';
export {FreshetError, type ErrorCode, type Position} from './errors.ts';
export type {HistoryEntry} from './metadata/refresh.ts';
export type {Difference} from './metadata/verification.ts';
export type {RefreshInput, RefreshResult, RefreshSummary} from './refresh/messages.ts';
export type {
  Alert,
  AlterResult,
  CreateResult,
  DropResult,
  Explanation,
  RefreshProgress,
  MaintainResult,
  ResumeResult,
  SuspendResult,
} from './workflows/messages.ts';
