import type {ProfileLine} from './profile.ts';
import {median, type Case, type Result} from './result.ts';
import {meanOver, targets} from './targets.ts';

/** A run for people to read, as Markdown; `chartFile` lies beside it. */
export function report(result: Result, chartFile: string): string {
  return `${[
    ...heading(result),
    ...machine(result),
    `![How many times faster an incremental refresh is](${chartFile})`,
    ...inShort(result),
    ...byTemporal(result),
    ...againstTargets(result),
    ...figures(result),
    ...profile(result),
  ].join('\n\n')}\n`;
}

function heading({verdict, wrong, options: {scaleFactor, rates, rounds, isQuick}}: Result): readonly string[] {
  const what = `TPC-H at scale factor ${scaleFactor}; ${rates.join(', ')} % of the rows changed at a time; medians of ${rounds} rounds.`;
  const first = `# Refreshes measured`;
  const quick = 'This was a quick run, for a first look: its rounds are too few to be quoted.';
  if (verdict === 'sound') {
    const checked = 'After every batch every table was compared with its query, row by row: all were right.';
    return [first, `${what} ${checked}`, ...(isQuick ? [quick] : [])];
  }
  return [
    first,
    `**This run is void: no figure counts.** ${what} Wrong were:`,
    wrong.map((each) => `- ${each}`).join('\n'),
  ];
}

function machine({
  machine: {processor, cores, memoryGiB, memoryLimitGiB, platform, versions},
  startedAt,
  peakMemoryMiB,
  seconds,
}: Result): readonly string[] {
  const all = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${cores} cores (${processor}), ${memoryGiB} GiB of which each DuckDB may use ${memoryLimitGiB}, ${platform}; ${all.join(', ')}. The run of ${startedAt.slice(0, 10)} took ${seconds} s; its process, in which the engine, the rival, the judge and Temporal's worker are together, needed ${peakMemoryMiB} MiB at most.`,
  ];
}

function inShort({cases, options: {rates}}: Result): readonly string[] {
  if (cases.length === 0) return [];
  return [
    '## In short',
    'How many times longer recomputation, and after the slash hand-written SQL, takes than an incremental refresh: geometric means. Below 1 the refresh is the slower one.',
    timesTable('batch', cases, rates, ({batch}) => batch),
    timesTable('view', cases, rates, ({title}) => title),
    outsideText(cases),
  ];
}

/** A row for each of what `nameOf` tells apart, a column for each rate, and all of them. */
function timesTable(
  what: string,
  cases: readonly Case[],
  rates: readonly number[],
  nameOf: (one: Case) => string,
): string {
  const both = (some: readonly Case[]): string =>
    `${times(meanOver(some, 'recomputation'))} / ${times(meanOver(some, 'hand'))}`;
  const row = (name: string, some: readonly Case[]): readonly string[] => [
    name,
    ...rates.map((rate) => both(some.filter((each) => each.rate === rate))),
    both(some),
  ];
  const names = [...new Set(cases.map(nameOf))];
  return table(
    [what, ...rates.map((rate) => `${rate} % changed`), 'all'],
    [
      ...names.map((name) =>
        row(
          name,
          cases.filter((each) => nameOf(each) === name),
        ),
      ),
      row('all', cases),
    ],
  );
}

function outsideText(cases: readonly Case[]): string {
  const outside = cases.map(({incremental: {outsideSqlMs}}) => outsideSqlMs);
  const share = sum(outside) / sum(cases.map(({incremental: {ms}}) => ms));
  return `By the median an incremental refresh spends ${whole(median(outside))} ms outside of SQL, ${whole(100 * share)} % of its time; Temporal is not in it.`;
}

function byTemporal({temporal}: Result): readonly string[] {
  if (temporal === null) return [];
  const {small, idleTick, heavy} = temporal;
  return [
    '## By way of Temporal',
    'From the start of the workflow to its close, as Temporal dates them. All other figures are the engine alone, from its look-up to its record.',
    table(
      ['', 'ms', 'outside of SQL, ms'],
      [
        ['10,000 groups, 0.1 % inserted', whole(small.ms), whole(small.outsideSqlMs)],
        ['the same without Temporal', whole(small.withoutTemporalMs), ''],
        ['a tick that finds nothing new', whole(idleTick.ms), whole(idleTick.outsideSqlMs)],
        ['a recomputation of five seconds', whole(heavy.ms), whole(heavy.outsideSqlMs)],
      ],
    ),
  ];
}

function againstTargets(result: Result): readonly string[] {
  if (result.options.scaleFactor !== 1) return [];
  const rows = targets(result).map(({figure, wanted, found, isMet}) => [
    figure,
    wanted,
    found,
    isMet === null ? '' : isMet ? 'met' : 'missed',
  ]);
  return ['## Targets', table(['figure', 'wanted', 'found', ''], rows)];
}

function figures({cases, options: {rates}}: Result): readonly string[] {
  return [
    '## Every figure',
    'Milliseconds. *by hand* is delete-and-insert SQL written for the view and the batch. *scanned*: rows that the refresh, and its recomputation, read of the sources.',
    ...rates.flatMap((rate) =>
      ratesSection(
        rate,
        cases.filter((each) => each.rate === rate),
      ),
    ),
  ];
}

function ratesSection(rate: number, cases: readonly Case[]): readonly string[] {
  const recomputed = cases.flatMap(({title, batch, incremental: {reasons}}) =>
    reasons.map((reason) => `- ${title}, ${batch}: ${reason}`),
  );
  return [
    `### ${rate} % changed`,
    casesTable(cases),
    ...(recomputed.length === 0
      ? []
      : ['Where the refresh did not follow the change, and why:', recomputed.join('\n')]),
  ];
}

function casesTable(cases: readonly Case[]): string {
  return table(
    [
      ...['view', 'batch', 'changed rows', 'action', 'recomputed'],
      ...['refresh', 'recomputation', 'by hand', 'recomputation ÷ refresh', 'by hand ÷ refresh'],
      ...['outside of SQL', 'scanned', 'scanned by recomputation'],
    ],
    cases.map(({title, batch, changedRows, incremental, recomputation, hand}) => [
      ...[title, batch, whole(changedRows), incremental.actions.join(', '), incremental.recomputed.join(', ')],
      ...[whole(incremental.ms), whole(recomputation.ms), whole(hand.ms)],
      ...[times(recomputation.ms / incremental.ms), times(hand.ms / incremental.ms)],
      ...[whole(incremental.outsideSqlMs), whole(incremental.rowsScanned), whole(recomputation.rowsScanned)],
    ]),
  );
}

function profile({profile: lines}: Result): readonly string[] {
  if (lines.length === 0) return [];
  const rows = lines.map(({phase, label, database, ms, sql}) => [
    ...[phase, label ?? `(${database})`, ms.toFixed(1)],
    sql === '' ? '' : code(sql),
  ]);
  return [
    '## One small refresh, statement by statement',
    '10,000 groups, the smallest share of the lines inserted, without Temporal. What the engine itself has a label for is the work on the rows; DuckDB without a label are looks at the catalog and what prepares a statement; PostgreSQL is the metadata.',
    phasesTable(lines),
    table(['phase', 'statement', 'ms', 'SQL'], rows),
  ];
}

/** Milliseconds and, in parentheses, how many statements. */
function phasesTable(lines: Result['profile']): string {
  const kinds = [
    (line: ProfileLine) => line.database === 'DuckDB' && line.label !== null,
    (line: ProfileLine) => line.database === 'DuckDB' && line.label === null,
    (line: ProfileLine) => line.database === 'PostgreSQL',
    (line: ProfileLine) => line.database === null,
  ];
  const row = (name: string, some: readonly ProfileLine[]): readonly string[] => [
    name,
    ...kinds.map((isKind, kind) => {
      const ofKind = some.filter(isKind);
      const ms = sum(ofKind.map((line) => line.ms)).toFixed(1);
      return kind === kinds.length - 1 ? ms : `${ms} (${ofKind.length})`;
    }),
  ];
  const phases = [...new Set(lines.map(({phase}) => phase))];
  return table(
    ['phase', 'DuckDB, with a label', 'DuckDB, without', 'PostgreSQL', 'outside of SQL'],
    [
      ...phases.map((name) =>
        row(
          name,
          lines.filter(({phase}) => phase === name),
        ),
      ),
      row('all', lines),
    ],
  );
}

function times(ratio: number | undefined): string {
  return ratio === undefined ? '' : ratio.toFixed(2);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function whole(number: number): string {
  return Math.round(number).toLocaleString('en');
}

function code(sql: string): string {
  return `\`${sql.replaceAll('|', '\\|').replaceAll('`', "'")}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
