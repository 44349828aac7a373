import {expect, test} from 'vitest';
import {identifier, literal} from '../../src/sql.ts';
import {tableNameText} from '../../src/table-name.ts';
import {aStack} from '../support/stack.ts';

const names = [
  `a.b."c"; '; drop table base; --`,
  '名'.repeat(200),
  ' Line\nbreak 😀 \\ ../../etc {DUCKLAKE_CATALOG} ${x} $1 ',
  'select',
];

test(
  'a name is a name, whatever is in it: of schemas, tables, columns, groups and in comments',
  {timeout: 180_000},
  async () => {
    await using stack = await aStack();
    const {client} = stack;
    await stack.run('create table base(a int)');
    for (const name of names) {
      const [quoted, value] = [identifier(name).text, literal(name).text];
      const table = tableNameText({schema: name, name});
      await stack.run(`create schema ${quoted}`);
      await stack.run(`create table ${quoted}.source(${quoted} varchar, n int)`);
      await stack.run(
        `insert into ${quoted}.source select 'g' || i, i from range(100) as t(i) union all select ${value}, 1`,
      );
      const statement = `create dynamic table ${quoted}.${quoted} target_lag = '1 day' comment = ${value}
      as select ${quoted}, sum(n) as "sum of ${name.replaceAll('"', '""')}" from ${quoted}.source as ${quoted} group by all`;

      expect(await client.create(statement), name).toMatchObject({table, outcome: 'created', mode: 'incremental'});
      await stack.run(`insert into ${quoted}.source values (${value}, 10)`);
      expect(await (await client.refresh(table)).result(), name).toMatchObject({
        refresh: {action: 'INCREMENTAL', rows: 101},
      });
      expect(await client.verify(table), name).toMatchObject({verdict: 'equal', rows: 101});
      expect(await stack.rows(`select * from ${quoted}.${quoted} where ${quoted} = ${value}`)).toEqual([[name, '11']]);
      expect(await client.describe(table)).toMatchObject({
        table,
        comment: name,
        columns: [{name}, {name: `sum of ${name}`}],
      });
      expect(await client.explain(table)).toMatchObject({table, mode: 'incremental'});
      expect(await client.history(table)).toMatchObject([
        {table, action: 'INCREMENTAL'},
        {table, action: 'INITIAL'},
      ]);
      expect(await client.drop(table)).toEqual({table, outcome: 'dropped'});
    }
    expect(await client.list()).toEqual([]);
    expect(await stack.rows('select count(*) from base')).toEqual([[0]]);
  },
);
