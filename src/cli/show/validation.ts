import {errorJson, errorText} from '../error-text.ts';
import {createdBy, creationOrder, placeText, type Checked} from '../validation.ts';
import {bad, dim, good, indent, oneLine} from '../text.ts';

/** Every statement with what it is and what is wrong with it, then the order. */
export function showValidation(checked: readonly Checked[]): string {
  const wrong = checked.filter(({error}) => error !== null).length;
  const statements = checked.length === 1 ? '1 statement' : `${checked.length} statements`;
  return [
    ...checked.map(showChecked),
    ...(wrong === 0 ? orderText(checked) : []),
    wrong === 0 ? good(`${statements}, no mistake.`) : bad(`${statements}, ${wrong} with a mistake.`),
  ].join('\n');
}

/** Nothing where there is nothing to order. */
function orderText(checked: readonly Checked[]): readonly string[] {
  const order = creationOrder(checked);
  if (order.length < 2) return [];
  const written = [...new Set(checked.flatMap((each) => createdBy(each) ?? []))];
  return order.join() === written.join()
    ? ['They can be created in the order in which they stand.']
    : [`They can be created in this order: ${order.join(', ')}.`];
}

function showChecked(each: Checked): string {
  const {error, text, file, start} = each;
  if (error === null) return `${placeText(each)} ${whatText(each)}`;
  return `${placeText({file, start: error.position ?? start})} ${whatText(each)}\n${indent(errorText(error, text))}`;
}

function whatText(each: Checked): string {
  const {statement, reads, mode, reasons, note} = each;
  if (statement === null) return "a statement that can't be read";
  if (statement.kind === 'sql') return dim('SQL, left to DuckDB');
  const table = createdBy(each);
  if (table === null) return statement.kind.toUpperCase();
  const how = mode === null ? [] : [`refreshed ${mode === 'full' ? `fully: ${reasons.join('; ')}` : 'incrementally'}`];
  return oneLine(
    [`${table} reads ${reads.join(', ') || 'no table'}`, ...how, ...(note === null ? [] : [note])].join('; '),
  );
}

/** The documented shape under --json. */
export function validationJson(checked: readonly Checked[]): string {
  const statements = checked.map((each) => {
    const {file, start, statement, reads, mode, reasons, note, error} = each;
    const problem = error === null ? {error: null} : errorJson(error);
    return {
      file,
      ...start,
      kind: statement?.kind ?? null,
      table: createdBy(each),
      reads,
      mode,
      reasons,
      note,
      ...problem,
    };
  });
  return JSON.stringify({statements, order: creationOrder(checked)}, null, 2);
}
