import type {FreshetClient} from '../client.ts';
import type {PlainSql} from './plain-sql.ts';
export type Freshet = {readonly client: () => Promise<FreshetClient>; readonly plainSql: () => Promise<PlainSql>};
export async function withFreshet<T>(_use: (freshet: Freshet) => Promise<T>): Promise<T> {
  throw new Error('not yet');
}
export async function withClient<T>(use: (client: FreshetClient) => Promise<T>): Promise<T> {
  return withFreshet(async (freshet) => use(await freshet.client()));
}
