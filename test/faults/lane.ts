import {aFaultWorker, type FaultWorker} from '../support/fault-worker.ts';
import {aPair} from './pair.ts';

export type Statement = NonNullable<ReturnType<FaultWorker['lastStatement']>>;

/** A pair of tables and one worker process after another. */
export type Lane = AsyncDisposable & {
  /**
   * A change and a refresh; `fault` begins before the refresh does. When the worker has died another one takes over. Afterwards
   * everything is whole. Answers the statement that was told of last, if the worker was watched.
   */
  readonly round: (fault: (worker: FaultWorker) => Promise<void>) => Promise<Statement | null>;
};

export async function aLane(seed: number): Promise<Lane> {
  const pair = await aPair(seed);
  const {stack} = pair;
  let worker = aFaultWorker(stack);
  let standby = aFaultWorker(stack);
  worker.begin();
  await pair.create();

  return {
    round: async (fault) => {
      let isDead = false;
      const current = worker;
      void current.ended.then(() => (isDead = true));
      await pair.change();
      const faulting = fault(current);
      const result = (await stack.client.refresh('totals')).result();
      await Promise.race([current.ended, Promise.all([faulting, result])]);
      if (isDead) {
        worker = standby;
        worker.begin();
        standby = aFaultWorker(stack);
      }
      await Promise.all([faulting, result]);
      try {
        await pair.expectWhole();
      } catch (error) {
        throw new Error(`After ${JSON.stringify(current.lastStatement())}, killed: ${isDead}`, {cause: error});
      }
      return current.lastStatement();
    },
    [Symbol.asyncDispose]: async () => {
      await worker.kill();
      await standby.kill();
      await pair[Symbol.asyncDispose]();
    },
  };
}
