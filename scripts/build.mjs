/**
 * Compiles `src` to `dist`, what the package holds, and `demo`, `scenarios` and `bench` with all that they need of
 * `src` to `build`. Files that are read at run time and not compiled go along, and the bundle of the workflows.
 *
 * A folder is replaced when the new one is complete: what runs from it meanwhile meets whole files.
 */
import {spawnSync} from 'node:child_process';
import {cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {bundleWorkflowCode, DefaultLogger} from '@temporalio/worker';

await build('tsconfig.build.json', 'dist', '.');
await build('tsconfig.tools.json', 'build', 'src');

async function build(project, folder, sources) {
  const next = `${folder}.next`;
  const last = `${folder}.last`;
  for (const old of [next, last]) rmSync(old, {recursive: true, force: true});
  const tsc = 'node_modules/typescript/bin/tsc';
  const {status} = spawnSync(process.execPath, [tsc, '-p', project, '--outDir', next], {stdio: ['ignore', 2, 2]});
  if (status !== 0) process.exit(status ?? 1);
  cpSync('src', path.join(next, sources), {recursive: true, filter: (file) => !/(?<!\.d)\.ts$/.test(file)});
  await bundle(path.resolve(next, sources));
  typesForCommonJS(path.join(next, sources));
  if (existsSync(folder)) renameSync(folder, last);
  renameSync(next, folder);
  rmSync(last, {recursive: true, force: true});
}

async function bundle(sources) {
  const workflowsPath = path.join(sources, 'workflows', 'index.js');
  const {code} = await bundleWorkflowCode({workflowsPath, logger: new DefaultLogger('WARN')});
  const {bundleFile} = await import(pathToFileURL(path.join(sources, 'workflow-bundle.js')).href);
  writeFileSync(bundleFile(), code);
}

/** For TypeScript that lets no CommonJS module require an ES module, though Node does. */
function typesForCommonJS(sources) {
  const {exports} = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const {
    require: {types},
    default: module,
  } of Object.values(exports)) {
    const file = path.join(sources, path.relative('dist', types));
    writeFileSync(file, `export * from './${path.basename(module)}';\n`);
  }
}
