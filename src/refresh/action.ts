/** How one refresh was done. */
export type Action = 'NO_DATA' | 'INITIAL' | 'INCREMENTAL' | 'FULL' | 'REINITIALIZE';

/** Who asked for a refresh. */
export type Trigger = 'schedule' | 'manual' | 'upstream' | 'create';
