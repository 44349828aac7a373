/** What one snapshot did to one table. */
export type SnapshotChange = {
  readonly snapshot: number;
  readonly inserts: boolean;
  readonly deletes: boolean;
  readonly altered: boolean;
  readonly dropped: boolean;
  /** `rewrite_data_files`: all its rows come and go in the feed, and none has changed. */
  readonly rewritten: boolean;
  readonly flushed: boolean;
  /** Files merged. */
  readonly compacted: boolean;
};

/** Reads `ducklake_snapshot_changes.changes_made`: `inserted_into_table:7,created_table:"main"."a,b"`. Null: not this table. */
export function changesOf(tableId: number, snapshot: number, changesMade: string): SnapshotChange | null {
  const words = new Set(
    [...changesMade.matchAll(entry)].flatMap(([, word, id]) => (id === String(tableId) ? [word] : [])),
  );
  if (words.size === 0) return null;
  return {
    snapshot,
    // A flush may say that it deleted, and the feed then has no row for it: harmless, where leaving out a delete would not be.
    inserts: words.has('inserted_into_table') || words.has('inlined_insert'),
    deletes: words.has('deleted_from_table') || words.has('inlined_delete'),
    altered: words.has('altered_table'),
    dropped: words.has('dropped_table'),
    rewritten: words.has('rewrite_delete'),
    flushed: words.has('inline_flush') || words.has('flushed_inlined'),
    compacted: words.has('merge_adjacent') || words.has('compacted_table'),
  };
}

/** One entry; names are quoted, so that a comma or a number in one is not taken for another. */
const entry = /(\w+):((?:"(?:[^"]|"")*"|[^,"])*)/g;
