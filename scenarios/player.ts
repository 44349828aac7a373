/** A process that plays the scenarios it is sent, one after another, until it is disconnected. The first message tells it how. */
import {failed, messageOf, type Outcome} from './outcome.ts';
import {openPlayground, type PlaygroundOptions, type Playground} from './playground.ts';
import {idOf, readScenario} from './scenario.ts';

type Work = {readonly index: number; readonly line: string};

let playground: Promise<Playground> | undefined;
// Both kinds of message come from play-all.ts.
process.on('message', (message: PlaygroundOptions | Work) => {
  if ('postgresUrl' in message) playground = openPlayground(message);
  else void play(message).then((outcome) => process.send?.(outcome));
});
process.on('disconnect', () => process.exit());

async function play({index, line}: Work): Promise<Outcome> {
  try {
    const opened = await playground;
    return await opened!.play(`s${index}`, readScenario(line)); // It was told how before.
  } catch (error) {
    return failed(idOf(line), `line ${index + 1}: ${messageOf(error)}`);
  }
}
