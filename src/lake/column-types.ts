import {identifier} from '../sql.ts';

/** A row of `ducklake_column`; the parts of a nested type are rows too, under their parent. */
export type CatalogColumn = {
  readonly fieldId: number;
  readonly name: string;
  readonly type: string;
  readonly parent: number | null;
};

/** A column, as the catalog knows it: a name on another field is another column. */
export type LakeColumn = {
  readonly name: string;
  readonly fieldId: number;
  readonly type: string;
  /** Fields of the parts of a nested type: one of them dropped and added again is another one too. */
  readonly inner?: readonly number[];
};

/** The columns of a table, from DuckLake's rows in order. Types are as DuckDB writes them, but that every field's name is quoted. */
export function columnTypes(rows: readonly CatalogColumn[]): LakeColumn[] {
  return rows
    .filter(({parent}) => parent === null)
    .map((row) => {
      const inner = innerIds(row, rows);
      const column = {name: row.name, fieldId: row.fieldId, type: typeText(row, rows)};
      return inner.length === 0 ? column : {...column, inner};
    });
}

function innerIds({fieldId}: CatalogColumn, rows: readonly CatalogColumn[]): number[] {
  return rows.filter(({parent}) => parent === fieldId).flatMap((part) => [part.fieldId, ...innerIds(part, rows)]);
}

function typeText(row: CatalogColumn, rows: readonly CatalogColumn[]): string {
  const parts = rows.filter(({parent}) => parent === row.fieldId);
  const types = parts.map((part) => typeText(part, rows));
  switch (row.type) {
    case 'struct':
      return `STRUCT(${parts.map(({name}, i) => `${identifier(name).text} ${types[i]}`).join(', ')})`;
    case 'list':
      return `${types[0]}[]`;
    case 'map':
      return `MAP(${types.join(', ')})`;
    default:
      return plainTypes[row.type] ?? row.type.toUpperCase();
  }
}

const plainTypes: Readonly<Record<string, string>> = {
  int8: 'TINYINT',
  int16: 'SMALLINT',
  int32: 'INTEGER',
  int64: 'BIGINT',
  int128: 'HUGEINT',
  uint8: 'UTINYINT',
  uint16: 'USMALLINT',
  uint32: 'UINTEGER',
  uint64: 'UBIGINT',
  uint128: 'UHUGEINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  timetz: 'TIME WITH TIME ZONE',
  timestamptz: 'TIMESTAMP WITH TIME ZONE',
  timestamp_us: 'TIMESTAMP',
};
