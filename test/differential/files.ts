import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {readScenario, type Scenario} from '../../scenarios/scenario.ts';

export function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

/** Every scenario of a file of them, a line each. */
export function scenariosIn(file: string): Scenario[] {
  return linesOf(file).map(readScenario);
}

/** Whoever reads or writes them runs in the project's folder. */
const regressions = path.resolve('test/differential/regressions');

/** What was wrong once. */
export function allRegressions(): Scenario[] {
  const files = readdirSync(regressions).filter((name) => name.endsWith('.jsonl'));
  return files.flatMap((name) => scenariosIn(path.join(regressions, name)));
}

/** Replayed first from now on; answers the file. */
export function keep(scenario: Scenario): string {
  const file = path.join(regressions, `${scenario.id}.jsonl`);
  writeFileSync(file, `${JSON.stringify(scenario)}\n`);
  return file;
}
