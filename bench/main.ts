import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {bench} from './bench.ts';
import {chart} from './chart.ts';
import {readOptions, usage} from './options.ts';
import {report} from './report.ts';
import type {Result} from './result.ts';

const results = path.join('bench', 'results');

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    console.log(usage);
    return;
  }
  const result = await bench(options, (text) => process.stderr.write(`${text}\n`));
  const file = await write(result);
  console.log(`${file}.md: ${result.verdict}`);
  for (const wrong of result.wrong) console.log(wrong);
  if (result.verdict === 'void') process.exitCode = 1;
}

/** A quick run stays on this machine and leaves the last long one alone. */
async function write(result: Result): Promise<string> {
  const {scaleFactor, isQuick} = result.options;
  const name = `${isQuick ? 'quick-' : ''}sf${scaleFactor}`;
  const file = path.join(results, name);
  await mkdir(results, {recursive: true});
  await writeFile(`${file}.json`, json(result));
  await writeFile(`${file}.svg`, chart(result.cases, `TPC-H, scale factor ${scaleFactor}`));
  await writeFile(`${file}.md`, report(result, `${name}.svg`));
  return file;
}

/** Indented, but a list of numbers on one line. */
function json(result: Result): string {
  const text = JSON.stringify(result, null, 2);
  return `${text.replace(/\[[\d.,\s]+\]/g, (list) => list.replace(/\s+/g, ' '))}\n`;
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
});
