import {stripVTControlCharacters, styleText} from 'node:util';
import Table from 'cli-table3';

/** How the CLI words and lays out what it prints. Colour appears on a terminal only, and never under NO_COLOR. */

type Style = Parameters<typeof styleText>[0];

function paint(style: Style, text: string): string {
  return process.stdout.isTTY ? styleText(style, text, {stream: process.stdout}) : text;
}

export const bold = (text: string): string => paint('bold', text);
export const dim = (text: string): string => paint('dim', text);
export const good = (text: string): string => paint('green', text);
export const bad = (text: string): string => paint('red', text);

export type Align = 'left' | 'right';
export type TextColumn = {readonly title: string; readonly align?: Align};

const noBorders = {
  ...{top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': ''},
  ...{'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  '},
};

/** Rows in columns without borders, as readable in a log as on a terminal; there the last column is wrapped if it must be. */
export function table(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string {
  return laidOut(columns, rows, wrappedWidth([columns.map(({title}) => title), ...rows]));
}

/** The same with a line for each row, however narrow the terminal is. */
export function unwrappedTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string {
  return laidOut(columns, rows, null);
}

function laidOut(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  lastWidth: number | null,
): string {
  const layout = new Table({
    head: columns.map(({title}) => bold(title)),
    colAligns: columns.map(({align}) => align ?? 'left'),
    chars: noBorders,
    style: {'padding-left': 0, 'padding-right': 0, head: [], border: []},
    ...(lastWidth === null ? {} : {wordWrap: true, colWidths: [...columns.slice(1).map(() => null), lastWidth]}),
  });
  layout.push(...rows.map((row) => [...row]));
  return withoutTrailingSpace(layout.toString());
}

const gap = 2;
const narrowest = 24;

/** How wide the last column may be on a terminal that is too narrow for the whole table; null when there is room. */
function wrappedWidth(lines: readonly (readonly string[])[]): number | null {
  const {isTTY, columns: room} = process.stdout;
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => widest(line[i] ?? ''))));
  const total = widths.reduce((sum, width) => sum + width + gap, -gap);
  if (!isTTY || total <= room) return null;
  return Math.max(narrowest, room - (total - (widths.at(-1) ?? 0)));
}

function widest(text: string): number {
  return Math.max(
    ...stripVTControlCharacters(text)
      .split('\n')
      .map((line) => line.length),
  );
}

/** Names with their values, one a line. */
export function fields(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${dim(name.padEnd(width))}  ${value}`.trimEnd()).join('\n');
}

/** Several lines moved to the right, under a title. */
export function section(title: string, body: string): string {
  return `${bold(title)}\n${indent(body)}`;
}

export function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

/** 1234567 as 1,234,567. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** 1234567 bytes as 1.2 MB. */
export function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3), units.length - 1);
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}

export function rowCount(value: number): string {
  return `${count(value)} ${value === 1 ? 'row' : 'rows'}`;
}

/** 4, 340 ms; 1.2, 75.0 s. */
export function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

/** How long ago something was: `3 s`, `12 min`, `5 h`, `2 d`. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** Line breaks as spaces, for a cell that must not grow. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

/** As it can be copied into a shell. */
export function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function withoutTrailingSpace(text: string): string {
  return text.replaceAll(/[ \t]+$/gm, '');
}
