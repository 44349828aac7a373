/** A process that plays the scenarios it is sent, one after another, until it is disconnected. Told first how. */
import {once} from 'node:events';
import {failed, messageOf, type Outcome} from './outcome.ts';
import {openPlayground, type PlayOptions} from './play.ts';
import {idOf, readScenario} from './scenario.ts';

// Both kinds of message come from play-all.ts.
const [options] = (await once(process, 'message')) as [PlayOptions];
const playground = await openPlayground(options);
process.on('message', ({index, line}: {index: number; line: string}) => {
  void play(index, line).then((outcome) => process.send?.(outcome));
});
process.on('disconnect', () => process.exit());

async function play(index: number, line: string): Promise<Outcome> {
  try {
    return await playground.play(`s${index}`, readScenario(line));
  } catch (error) {
    return failed(idOf(line), `line ${index + 1}: ${messageOf(error)}`);
  }
}
