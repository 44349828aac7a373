import {rows, type Queryable} from '../../src/metadata/database.ts';

/** Tables, constraints and indexes of schema `freshet`, as PostgreSQL has them: what `pg_dump` would say, in short. */
export async function dump(database: Queryable): Promise<string> {
  const tables = await rows<{name: string; columns: string[]; constraints: string[]; indexes: string[]}>(
    database,
    `select c.relname as name,
       (select array_agg(format('%I %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
            case when a.attnotnull then ' not null' else '' end,
            case when a.attidentity <> '' then ' generated always as identity'
              else coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') end) order by a.attnum)
          from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
       (select coalesce(array_agg(format('constraint %I %s', k.conname, pg_get_constraintdef(k.oid)) order by k.conname), '{}')
          from pg_constraint k where k.conrelid = c.oid and k.contype <> 'n') as constraints,
       (select coalesce(array_agg(pg_get_indexdef(i.indexrelid) order by i.indexrelid::regclass::text), '{}')
          from pg_index i where i.indrelid = c.oid
            and not exists (select from pg_constraint k where k.conindid = i.indexrelid)) as indexes
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'freshet' and c.relkind = 'r'
     order by c.relname`,
  );
  return tables
    .map(({name, columns, constraints, indexes}) =>
      [
        `create table freshet.${name} (\n  ${[...columns, ...constraints].join(',\n  ')}\n);`,
        ...indexes.map((index) => `${index};`),
      ].join('\n'),
    )
    .join('\n\n')
    .concat('\n');
}
