import {expect, test} from 'vitest';
import {aFaultWorker} from '../support/fault-worker.ts';
import {eventually} from '../support/eventually.ts';
import {seed} from './length.ts';
import {ownServers} from './own-servers.ts';
import {aPair} from './pair.ts';

test('servers killed and started again in the midst of a refresh: it ends, and each change is taken in once', async () => {
  await using servers = await ownServers();
  await using pair = await aPair(seed, {servers});
  const {stack, change, expectWhole} = pair;
  await using worker = aFaultWorker(stack);
  worker.begin();
  await pair.create();

  const places = [
    ['postgres', '^lookUpSnapshots: BEGIN'],
    ['postgres', '^publishRefresh: INSERT'],
    ['postgres', '^publishRefresh: COMMIT'],
    ['postgres', '^recordRefresh: postgres insert into freshet.refresh'],
    ['temporal', '^publishRefresh: COMMIT'],
  ] as const;
  for (const [server, place] of places) {
    await change();
    const held = worker.holdBefore(place);
    const refresh = await stack.client.refresh('totals');
    await held;
    const restarted = server === 'postgres' ? servers.restartPostgres() : servers.restartTemporal();
    worker.release();
    await restarted;
    await eventually(
      () =>
        stack.temporal.workflow
          .getHandle(refresh.workflowId)
          .describe()
          .catch(() => null),
      (run) => run?.status.name === 'COMPLETED',
    );
    // The outsider's DuckDB notices only now that its connection is gone.
    await eventually(
      () => stack.snapshot().catch(() => null),
      (snapshot) => snapshot !== null,
    );
    await expectWhole().catch((error: unknown) => {
      throw new Error(`${server} killed at ${place}`, {cause: error});
    });
  }
  expect(worker.log()).not.toContain('"level":"error"');
});
