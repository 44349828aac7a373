import {randomUUID} from 'node:crypto';
import {defaultSettings} from '../../src/definition/definition.ts';
import {openLake, type LakeOptions} from '../../src/lake/lake.ts';
import {Conflict, publish} from '../../src/lake/publication.ts';
import {FenceLost, readState} from '../../src/lake/state.ts';
import {sql} from '../../src/sql.ts';
import type {TableName} from '../../src/table-name.ts';

/*
 * A process that publishes again and again, each time a row with the number of its generation, until there are enough of them. It
 * says when it is about to commit and when it has.
 */

export type Race = {
  readonly options: LakeOptions;
  readonly table: TableName;
  readonly name: string;
  readonly generations: number;
};

export type Word = 'committing' | 'committed' | 'beaten';

process.once('message', (race) => {
  run(race as Race).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function run({options, table, name, generations}: Race): Promise<void> {
  const lake = openLake(options);
  await lake.compute(defaultSettings, async (session) => {
    for (;;) {
      const state = await readState(session, table);
      if (state === null || state.generation >= generations) return;
      const {incarnation, generation} = state;
      const next = generation + 1;
      try {
        await publish(session, {
          table,
          groups: null,
          fence: {incarnation, generation},
          refreshId: randomUUID(),
          message: name,
          extraInfo: {},
          write: async () => ({
            // Matches nothing, as the DELETE of a first refresh does.
            deleted: await session.run(sql`DELETE FROM freshet_lake.main.t WHERE k = ${next}`),
            inserted: await session.run(sql`INSERT INTO freshet_lake.main.t VALUES (${next}, 'row')`),
          }),
          next: ({inserted, deleted}) => ({
            ...state,
            dataVersion: next,
            contents: next,
            rows: state.rows + inserted - deleted,
          }),
          beforeCommit: () => say('committing'),
        });
        say('committed');
      } catch (error) {
        if (!(error instanceof FenceLost || error instanceof Conflict)) throw error;
        say('beaten');
      }
    }
  });
  lake.close();
}

function say(word: Word): void {
  process.send?.(word);
}
