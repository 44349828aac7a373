import { totalMs } from '../src/cli/show/refresh.js';
import { bad, bold, count, dim, good, table } from '../src/cli/text.js';
export function say(text = '') {
    process.stdout.write(`${text}\n`);
}
export function title(text) {
    say(`\n${bold(text)}`);
}
const right = { align: 'right' };
export function outcomesTable(outcomes) {
    return table([
        ...[{ title: 'table' }, { title: 'action' }, { title: 'changed rows', ...right }, { title: 'affected keys', ...right }],
        ...[{ title: 'ms', ...right }, { title: 'full ms', ...right }, { title: 'equal' }, { title: 'reason' }],
    ], outcomes.map(({ table: name, refresh, recomputeMs, isEqual }) => [
        name,
        refresh.action ?? 'failed',
        count(refresh.changedRows ?? 0),
        count(refresh.affectedKeys ?? 0),
        count(Math.round(totalMs(refresh.phases))),
        count(Math.round(recomputeMs)),
        isEqual ? good('yes') : bad('no'),
        refresh.error ?? refresh.reason ?? '',
    ]));
}
/** Where a refresh was incremental and yet no cheaper than its recomputation: said aloud, not left to be found. */
export function dearerLine(outcomes) {
    const dearer = outcomes.filter(({ refresh, recomputeMs }) => refresh.action === 'INCREMENTAL' && totalMs(refresh.phases) >= recomputeMs);
    if (dearer.length === 0)
        return null;
    return dim(`Incremental was no cheaper here than a full recomputation: ${dearer.map((each) => each.table).join(', ')}.`);
}
