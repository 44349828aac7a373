import type {Outcome, StepOutcome} from '../../scenarios/outcome.ts';
import type {Scenario} from '../../scenarios/scenario.ts';

/**
 * What is wrong with the outcome of a scenario that was played with its check on; null: nothing.
 *
 * Besides rows that differ from the query's it is wrong that a definition with a rule was refreshed fully: the net under the rules
 * (missing rows, counts that don't add up) would hide what they do wrong. Errors of the data may always lead to FULL.
 */
export function verdict(scenario: Scenario, outcome: Outcome): string | null {
  if (outcome.error !== null) return isRefusal(outcome) ? null : `error: ${outcome.error}`;
  // What such a query answers is right, and may be another answer each time.
  if (outcome.reason?.includes('leaves a free choice')) return null;
  if (outcome.initial?.equal === false)
    return `the first contents differ: ${JSON.stringify(outcome.initial.difference)}`;
  for (const [i, step] of outcome.steps.entries()) {
    const wrong = wrongStep(step, outcome.mode, scenario.steps[i] ?? []);
    if (wrong !== null) return `step ${i + 1}: ${wrong}`;
  }
  return null;
}

function wrongStep(step: StepOutcome, mode: Outcome['mode'], statements: readonly string[]): string | null {
  if (step.equal === false) return `${step.action} left ${JSON.stringify(step.difference)}`;
  const isExpected =
    step.action === 'INCREMENTAL' || step.action === 'NO_DATA' || isDataError(step) || statements.some(changesTables);
  if (mode === 'INCREMENTAL' && !isExpected) return `${step.action} although there is a rule: ${step.reason}`;
  if (statements.length === 0 && (step.action !== 'NO_DATA' || step.wrote))
    return `${step.action} although nothing happened`;
  return null;
}

/** Whether it makes another table, or other columns, which may well be a reason to run the query. */
export function changesTables(statement: string): boolean {
  return /^(ALTER|DROP|CREATE (OR REPLACE )?TABLE) /.test(statement);
}

function isDataError({reason}: StepOutcome): boolean {
  return reason?.startsWith('the incremental statement failed on the data') ?? false;
}

/** The generator makes a few queries that DuckDB or the lake refuse. */
export function isRefusal({error, initial}: Outcome): boolean {
  return (
    initial === null &&
    error !== null &&
    /^(invalid_query|unsupported_type|not_incremental|unknown_column)\b/.test(error)
  );
}
