import {defineConfig} from 'vitest/config';

/** Everything but the unit tests talks to one PostgreSQL and one Temporal server, started for the whole run. */
const withServers = (name: string, testTimeout: number, ...setup: readonly string[]): object => ({
  extends: true,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    globalSetup: [...setup, 'test/support/global-setup.ts'],
    testTimeout,
    hookTimeout: 120_000,
  },
});

export default defineConfig({
  test: {
    retry: 0,
    reporters: ['default', './scripts/closing-line.ts'],
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/{definition,relation,delta,refresh,graph,dev,cli}/**/*.test.ts', 'test/*.test.ts'],
        },
      },
      withServers('binder', 60_000),
      withServers('integration', 60_000),
      withServers('workflow', 60_000),
      withServers('differential', 600_000),
      withServers('e2e', 180_000, 'test/support/build.ts'),
      withServers('faults', 180_000, 'test/support/build.ts'),
    ],
  },
});
