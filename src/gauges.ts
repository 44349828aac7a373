import type {MetricMeter} from '@temporalio/common';
import {allTables, type TableRow} from './metadata/dynamic-table.ts';
import type {Metadata} from './metadata/database.ts';
import {showDropped, showNoTargetLag, showTables} from './metrics.ts';

const seconds = 5;

/**
 * Shows now and then how each table is, so that one gets old before everybody's eyes while nothing happens to it. When the
 * metadata can't be read, tables are as they were, and older.
 */
export function startGauges(meter: MetricMeter, metadata: Metadata): NodeJS.Timeout {
  let tables: readonly TableRow[] = [];
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      const now = await allTables(metadata).catch(() => tables);
      const names = new Set(now.map(({name}) => name));
      for (const {name} of tables) if (!names.has(name)) showDropped(meter, name);
      for (const {name} of now.filter(isDownstream))
        if (tables.some((before) => before.name === name && !isDownstream(before))) showNoTargetLag(meter, name);
      tables = now;
      showTables(meter, tables, Date.now());
    } finally {
      isLooking = false;
    }
  };
  void look();
  return setInterval(() => void look(), seconds * 1000).unref();
}

function isDownstream({definition}: TableRow): boolean {
  return definition.options.targetLag.kind === 'downstream';
}
