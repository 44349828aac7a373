import {mkdir} from 'node:fs/promises';

/** Whether a folder is of this machine, and not of an object store. */
export function isLocal(folder: string): boolean {
  return !/^[a-z][a-z0-9+]*:\/\//i.test(folder);
}

/** Behind its wall DuckDB can't make the folder that it is allowed to use, only what goes into it. */
export async function makeFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders.filter(isLocal)) await mkdir(folder, {recursive: true});
}
