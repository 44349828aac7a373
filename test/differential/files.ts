import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {readScenario, type Scenario} from '../../scenarios/scenario.ts';

export function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

export function scenariosIn(file: string): Scenario[] {
  return linesOf(file).map(readScenario);
}

export const regressions = path.join(import.meta.dirname, 'regressions');

/** Replayed first from now on. */
export function keep(scenario: Scenario): void {
  writeFileSync(path.join(regressions, `${scenario.id}.jsonl`), `${JSON.stringify(scenario)}\n`);
}
