import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';
import type {WorkerOptions} from '@temporalio/worker';

/** Where the build puts our workflows for a version of Temporal's SDK, by default the one that is installed. */
export function bundleFile(sdkVersion: string = installedSdk()): string {
  return fileURLToPath(new URL(`./workflow-bundle-${sdkVersion}.js`, import.meta.url));
}

/**
 * Our workflows, bundled when this was built: a worker would take seconds for it at each start. A bundle holds a part of the SDK and
 * fits no other version; a worker with another one makes its own.
 */
export function ownBundle(sdkVersion?: string): Pick<WorkerOptions, 'workflowBundle'> {
  const codePath = bundleFile(sdkVersion);
  return existsSync(codePath) ? {workflowBundle: {codePath}} : {};
}

function installedSdk(): string {
  const {version} = createRequire(import.meta.url)('@temporalio/worker/package.json') as {version: string};
  return version;
}
