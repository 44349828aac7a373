/** A process that plays the scenarios it is sent, one after another, until it is disconnected. */
import {failed, messageOf, type Outcome} from './outcome.ts';
import {openPlayground, type PlayOptions} from './play.ts';
import {idOf, readScenario} from './scenario.ts';

const playground = await openPlayground(JSON.parse(process.argv[2] ?? '{}') as PlayOptions); // Sent by play-all.ts.

process.on('message', ({index, line}: {index: number; line: string}) => {
  void play(index, line).then((outcome) => process.send?.(outcome));
});
process.on('disconnect', () => process.exit());

async function play(index: number, line: string): Promise<Outcome> {
  try {
    return await playground.play(`s${index}`, readScenario(line));
  } catch (error) {
    return failed(idOf(line), messageOf(error));
  }
}
