import {execFileSync} from 'node:child_process';

/** The command line tool is tested as it is shipped: compiled, from what the sources say now. */
export default function setup(): void {
  execFileSync(process.execPath, ['scripts/bootstrap.cjs'], {stdio: 'inherit'});
}
