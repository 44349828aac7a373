import {readFileSync} from 'node:fs';
import {readScenario, type Scenario} from '../../scenarios/scenario.ts';

export function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

export function scenariosIn(file: string): Scenario[] {
  return linesOf(file).map(readScenario);
}
