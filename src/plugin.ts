import {readFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {getClient} from '@temporalio/activity';
import {SimplePlugin} from '@temporalio/plugin';
import {
  Runtime,
  type BundleOptions,
  type ReplayWorkerOptions,
  type WorkerOptions,
  type WorkflowBundleOption,
} from '@temporalio/worker';
import type {Compiler, Module, ModuleGraph} from 'webpack';
import type {Activities} from './activities/activities.ts';
import {createActivities} from './activities/index.ts';
import {openAlerts} from './alerts.ts';
import {assert} from './assert.ts';
import type {Config} from './config.ts';
import {provisionExtensions} from './dev/provision.ts';
import {FreshetError} from './errors.ts';
import {startGauges} from './gauges.ts';
import {openLake, type Lake} from './lake/lake.ts';
import {removeDeadSpill} from './lake/spill.ts';
import {removeOldStaging} from './lake/staging.ts';
import {openMetadata, type Metadata} from './metadata/database.ts';
import {checkSchemaVersion, migrate} from './metadata/migrate.ts';
import {openSchedules} from './schedules.ts';
import {workflowTypes} from './workflows/messages.ts';

export {readConfig, type Config} from './config.ts';

/** Where our workflows are: TypeScript in a checkout, JavaScript in the package. */
export const ownWorkflows = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './workflows/index.ts' : './workflows/index.js', import.meta.url),
);
const composition = fileURLToPath(new URL('./workflows/composition.cjs', import.meta.url));

export type PluginOptions = {
  /** As `readConfig(process.env)` makes it. */
  readonly config: Config;
  /** Where statements are run that take long; by default the worker that has the plugin does them itself. */
  readonly computeTaskQueue?: string;
};

/**
 * Gives a Temporal worker our workflows and activities, beside its own:
 *
 * ```ts
 * const worker = await Worker.create({
 *   connection,
 *   taskQueue: 'reports',
 *   workflowsPath: require.resolve('./workflows'),
 *   plugins: [new FreshetPlugin({config: readConfig(process.env)})],
 * });
 * ```
 *
 * The lake and the metadata are opened when the first worker with this plugin runs, and closed when the last one stops.
 */
export class FreshetPlugin extends SimplePlugin {
  readonly #config: Config;
  readonly #computeTaskQueue: string | undefined;
  #opened: Promise<Resources> | null = null;
  #resources: Resources | null = null;
  #users = 0;

  constructor({config, computeTaskQueue}: PluginOptions) {
    super({name: 'freshet.FreshetPlugin', runContext: (next) => this.#whileOpen(next)});
    this.#config = config;
    this.#computeTaskQueue = computeTaskQueue;
  }

  override configureWorker(options: WorkerOptions): WorkerOptions {
    const configured = super.configureWorker(options);
    const given = configured.activities ?? {};
    const activities = isOurs(given) ? given : {...given, ...this.#activitiesBeside(given, configured.taskQueue)};
    const withActivities = {...configured, activities};
    // A worker for what takes long has no workflows.
    return configured.taskQueue === this.#computeTaskQueue ? withActivities : withWorkflows(withActivities);
  }

  override configureReplayWorker(options: ReplayWorkerOptions): ReplayWorkerOptions {
    return withWorkflows(super.configureReplayWorker(options));
  }

  override configureBundler(options: BundleOptions): BundleOptions {
    const configured = super.configureBundler(options);
    const {workflowsPath, webpackConfigHook} = configured;
    if (workflowsPath === composition) return configured;
    if (!workflowsPath || workflowsPath === ownWorkflows) return {...configured, workflowsPath: ownWorkflows};
    return {
      ...configured,
      workflowsPath: composition,
      webpackConfigHook: (config) => composed(webpackConfigHook?.(config) ?? config, workflowsPath),
    };
  }

  #activitiesBeside(given: object, taskQueue: string): Activities {
    // The task queue is needed by Worker.create, which complains of a missing one itself.
    const activities = createActivities(this.#deps(taskQueue));
    const clash = Object.keys(activities).find((name) => name in given);
    if (clash !== undefined) {
      throw new FreshetError('invalid_configuration', `Both Freshet and this worker have an activity named ${clash}.`, {
        hint: 'Rename yours, or give Freshet a worker of its own.',
      });
    }
    return Object.assign(activities, {[mark]: true});
  }

  #deps(taskQueue: string): Parameters<typeof createActivities>[0] {
    const {prefix, heartbeatSeconds, scrub, alerts} = this.#config;
    const open = () => {
      assert(this.#resources, 'activities run only while their worker runs');
      return this.#resources;
    };
    return {
      get lake() {
        return open().lake;
      },
      get metadata() {
        return open().metadata;
      },
      temporal: getClient,
      schedules: openSchedules(getClient, prefix),
      alerts: openAlerts(getClient, taskQueue, alerts),
      site: {prefix, heartbeatSeconds, computeTaskQueue: this.#computeTaskQueue ?? taskQueue},
      scrub,
    };
  }

  async #whileOpen(next: () => Promise<void>): Promise<void> {
    this.#users++;
    try {
      this.#opened ??= openResources(this.#config);
      this.#resources = await this.#opened;
      await next();
    } finally {
      if (--this.#users === 0) await this.#close();
    }
  }

  async #close(): Promise<void> {
    const resources = this.#resources;
    this.#opened = this.#resources = null;
    clearInterval(resources?.janitor);
    clearInterval(resources?.gauges);
    resources?.lake.close();
    await resources?.metadata.end();
  }
}

type Resources = {
  readonly lake: Lake;
  readonly metadata: Metadata;
  readonly janitor: NodeJS.Timeout;
  readonly gauges: NodeJS.Timeout;
};

/** No refresh takes so long: what is staged and older was left by one that ended badly. */
const stagedHours = 24;
const janitorHours = 1;

async function openResources(config: Config): Promise<Resources> {
  const {lake, duckdb, stagingPath, computeConcurrency: computeSlots} = config;
  const metadata = openMetadata(config.metadataUrl);
  try {
    await prepareMetadata(metadata, config);
    const extensions = await provisionExtensions([
      'ducklake',
      'postgres_scanner',
      ...(isRemote(config) ? ['httpfs' as const] : []),
    ]);
    const opened = openLake({...lake, ...duckdb, stagingPath, computeSlots, extensions});
    const gauges = startGauges(Runtime.instance().metricMeter, metadata);
    return {metadata, lake: opened, janitor: startJanitor(opened, duckdb.tempDirectory), gauges};
  } catch (error) {
    await metadata.end();
    throw error;
  }
}

/** Freshet's tables in PostgreSQL: brought up to date where that is this worker's to do, else only looked at. */
export async function prepareMetadata(metadata: Metadata, {isMigrating}: Config): Promise<void> {
  await (isMigrating ? migrate(metadata) : checkSchemaVersion(metadata));
}

function startJanitor(lake: Lake, tempDirectory: string): NodeJS.Timeout {
  const sweep = () => {
    // Whatever it can't remove now it finds again.
    removeOldStaging(lake, new Date(Date.now() - stagedHours * 3_600_000)).catch(() => undefined);
    removeDeadSpill(tempDirectory).catch(() => undefined);
  };
  sweep();
  return setInterval(sweep, janitorHours * 3_600_000).unref();
}

function isRemote({lake, stagingPath}: Config): boolean {
  return [lake.dataPath, stagingPath].some((location) => /^[a-z][a-z0-9+.-]+:\/\//i.test(location));
}

/** On an object of activities that has ours: the plugin was applied before. */
const mark = Symbol.for('freshet.activities');

function isOurs(activities: object): boolean {
  return mark in activities;
}

/** A worker without workflows of its own gets ours; one with a bundle has given the plugin to the bundler. */
function withWorkflows<Options extends Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'>>(
  options: Options,
): Options {
  const {workflowBundle, workflowsPath} = options;
  if (workflowBundle === undefined) return {...options, workflowsPath: workflowsPath ?? ownWorkflows};
  refuseWithoutOurs(workflowBundle);
  return options;
}

/** Without ours, every refresh would wait for ever for a worker that knows it. A host may name a refresh, but nobody an apply. */
function refuseWithoutOurs(bundle: WorkflowBundleOption): void {
  const code = 'code' in bundle ? bundle.code : readFileSync(bundle.codePath, 'utf8');
  if (code.includes(workflowTypes.apply)) return;
  throw new FreshetError('invalid_configuration', "This worker's workflow bundle has no workflows of Freshet.", {
    hint: 'Give the plugin to the bundler too: bundleWorkflowCode({workflowsPath, plugins}).',
  });
}

/** What `composition.cjs` asks for, instead of the host's workflows. */
const hostAlias = '__freshet_host_workflows__';

type WebpackConfig = Parameters<NonNullable<BundleOptions['webpackConfigHook']>>[0];

function composed(config: WebpackConfig, host: string): WebpackConfig {
  return {
    ...config,
    resolve: {
      ...config.resolve,
      // An array of aliases is webpack's other form, which the SDK does not use.
      alias: {...(config.resolve?.alias as Record<string, string>), [`${hostAlias}$`]: host},
    },
    plugins: [...(config.plugins ?? []), {apply: refuseClashes}],
  };
}

/** Two workflows of one name would fail every workflow task of the worker; the bundler knows both and can tell before. */
function refuseClashes(compiler: Compiler): void {
  compiler.hooks.compilation.tap('freshet', ({hooks, moduleGraph}) => {
    // After webpack's own at stage 0, which finds out what each module exports.
    hooks.finishModules.tapPromise({name: 'freshet', stage: 1000}, async (modules) => {
      const composing = [...modules].find((each) => each.nameForCondition() === composition);
      // By what has been found for the alias: the host's path may lack its suffix, or lead through a link.
      const host = [...(composing === undefined ? [] : moduleGraph.getOutgoingConnections(composing))].find(
        ({dependency}) => dependency !== null && 'request' in dependency && dependency.request === hostAlias,
      )?.module;
      const clash = host && clashOf(host, moduleGraph);
      if (clash === undefined) return;
      throw new FreshetError('invalid_configuration', `Both Freshet and this worker have a workflow named ${clash}.`, {
        hint: 'Rename yours, or give Freshet a worker of its own.',
      });
    });
  });
}

/**
 * A name of ours that a module exports for something of its own. It may hand ours on: webpack follows that in an ES module. In CommonJS
 * it may not even know the names, which are then those of what the module requires.
 */
function clashOf(module: Module, graph: ModuleGraph, seen = new Set<Module>()): string | undefined {
  if (isOwnModule(module) || seen.has(module)) return undefined;
  seen.add(module);
  const required = [...graph.getOutgoingConnections(module)].flatMap((connection) => connection.module ?? []);
  const exported = graph.getExportsInfo(module).getProvidedExports();
  if (!Array.isArray(exported)) {
    for (const each of required) {
      const clash = clashOf(each, graph, seen);
      if (clash !== undefined) return clash;
    }
    return undefined;
  }
  const isESModule = module.buildMeta?.['exportsType'] === 'namespace';
  const mayHandOn = !isESModule && required.some(isOwnModule);
  return exported.find((name) => {
    if (!ownNames.has(name)) return false;
    const target = graph.getExportInfo(module, name).getTarget(graph);
    return target === undefined ? !mayHandOn : !isOwnModule(target.module);
  });
}

function isOwnModule(module: Module): boolean {
  return module.nameForCondition()?.startsWith(path.dirname(ownWorkflows)) === true;
}

const ownNames: ReadonlySet<string> = new Set(Object.values(workflowTypes));
