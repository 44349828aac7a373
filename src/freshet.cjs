#!/usr/bin/env node
// DuckDB computes on libuv's threads. How many there are is settled when the first is needed, which is when the first module is
// loaded: so this is said before, and hence no module itself.
process.env.UV_THREADPOOL_SIZE ??= '16';
void import('./cli.js');
