import {randomUUID} from 'node:crypto';
import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import {defaultSettings, type QuerySettings} from '../definition/definition.ts';
import {FreshetError} from '../errors.ts';
import {defaultMetadataSchema} from './attach.ts';
import {currentSnapshot} from './catalog.ts';
import {readCatalogUrl} from './catalog-url.ts';
import {NoAnswer} from './errors.ts';
import {openInstance, type ExtensionFiles, type Instance} from './instance.ts';
import {binderOptimizersOff, computeOptimizersOff} from './optimizers.ts';
import {openPool} from './pool.ts';
import type {Patience, Session} from './session.ts';
import {spillFolder} from './spill.ts';

export {lakeAlias} from './alias.ts';

export type LakeOptions = {
  /** `ducklake:postgres:host=… dbname=…`, `postgres:…` or `postgresql://…`. */
  readonly catalog: string;
  readonly dataPath: string;
  readonly metadataSchema?: string | undefined;
  /** The lake's public name, which queries may use: `lake.main.orders`. */
  readonly name: string;
  readonly extensions: ExtensionFiles;
  /** For all instances together. */
  readonly threads: number;
  readonly memoryLimitBytes: number;
  readonly tempDirectory: string;
  /** How many refreshes may compute at once. */
  readonly computeSlots: number;
  readonly stagingPath: string;
};

type Work<T> = (session: Session) => Promise<T>;

/**
 * The lake, by way of DuckDB instances of our own. Optimizer settings, time zone and the like are global to an instance, so what
 * needs others gets another instance: a refresh that ran beside a change of settings has given wrong rows.
 */
export type Lake = {
  readonly name: string;
  readonly stagingPath: string;
  /** For a refresh: alone in its instance, whose settings are those of the query. What it attaches is detached afterwards. */
  readonly compute: <T>(settings: QuerySettings, work: Work<T>, signal?: AbortSignal) => Promise<T>;
  /** For a short look at the catalog, any number at once. */
  readonly look: <T>(work: Work<T>, signal?: AbortSignal) => Promise<T>;
  /** For binding a query: alone, in an instance whose plans do not depend on data. */
  readonly bind: <T>(settings: QuerySettings, work: Work<T>, signal?: AbortSignal) => Promise<T>;
  readonly close: () => void;
};

/** A connection that is new gives up by itself, before the statement's limit, in libpq's own words. */
function isNoAnswer(error: unknown): boolean {
  return error instanceof NoAnswer || (error instanceof Error && error.message.includes('timeout expired'));
}

/** Far more than the catalog needs for any answer. */
const limited: Patience = {kind: 'limit', seconds: 60};

const mebibyte = 1024 * 1024;
const smallShare = 256 * mebibyte;

export function openLake(options: LakeOptions): Lake {
  const catalog = readCatalogUrl(options.catalog);
  if (catalog === null) {
    throw new FreshetError(
      'invalid_configuration',
      'The lake needs its catalog in PostgreSQL: ducklake:postgres:… or postgresql://…',
    );
  }
  const open = async (
    query: QuerySettings,
    disabledOptimizers: readonly string[],
    threads: number,
    memoryBytes: number,
    patience: Patience = limited,
  ): Promise<Instance> => {
    const spill = await spillFolder(options.tempDirectory);
    // DuckDB makes the last folder of a path and takes it away again, no other.
    await mkdir(spill, {recursive: true});
    return await openInstance({
      catalog,
      dataPath: options.dataPath,
      lake: {name: options.name, metadataSchema: options.metadataSchema ?? defaultMetadataSchema},
      extensions: options.extensions,
      folders: [options.stagingPath],
      // Two instances with one folder overwrite each other's files in it: seen to crash the process.
      temporaryFolder: path.join(spill, randomUUID()),
      threads,
      memoryBytes,
      disabledOptimizers,
      query,
      patience,
    });
  };

  const share = Math.max(smallShare, (options.memoryLimitBytes - 2 * smallShare) / options.computeSlots);
  const binder = openPool(1, (query) => open(query, binderOptimizersOff, 1, smallShare));
  const looks = openShared(() => open(defaultSettings, computeOptimizersOff, 1, smallShare));
  const isHanging = async () => await looks.use(currentSnapshot).then(() => false, isNoAnswer);
  const asking: Patience = {kind: 'ask', everySeconds: 60, isHanging};
  const compute = openPool(options.computeSlots, (query) =>
    open(query, computeOptimizersOff, options.threads, share, asking),
  );

  return {
    name: options.name,
    stagingPath: options.stagingPath,
    compute: compute.use,
    look: looks.use,
    bind: binder.use,
    close: () => {
      compute.close();
      binder.close();
      looks.close();
    },
  };
}

/** One instance for any number of users, opened by the first and again when it is broken. */
function openShared(open: () => Promise<Instance>): {use: Lake['look']; close: () => void} {
  let current: Promise<Instance> | null = null;

  async function instance(): Promise<Instance> {
    const opened = (current ??= open());
    try {
      const ready = await opened;
      if (!ready.isBroken) return ready;
    } catch (error) {
      if (current === opened) current = null;
      throw error;
    }
    if (current === opened) current = null;
    return await instance();
  }

  return {
    use: async (work, signal) => await (await instance()).use(work, signal),
    close: () => void current?.then((ready) => ready.close()).catch(() => undefined),
  };
}
