import {bindQuery} from '../../src/binder/bind.ts';
import type {Bound} from '../../src/binder/bound.ts';
import {createMirror} from '../../src/binder/mirror.ts';
import {reach, type Reached} from '../../src/binder/reach.ts';
import {defaultSettings} from '../../src/definition/definition.ts';
import {bareQuery, type Query} from '../../src/definition/statement.ts';
import {FreshetError} from '../../src/errors.ts';
import type {Session} from '../../src/lake/session.ts';
import type {TestLake} from '../support/lake.ts';

/** Binds a query at the newest snapshot, in a mirror; `then` goes on in it. */
export async function bindIn<T>(
  lake: TestLake,
  text: string | Query,
  then: (bound: Bound, session: Session, reached: Reached) => Promise<T> | T,
): Promise<T> {
  const query = typeof text === 'string' ? bareQuery(text) : text;
  const snapshot = await lake.snapshot();
  return await lake.lake.bind(defaultSettings, async (session) => {
    const reached = await reach(session, query, snapshot);
    const mirror = await createMirror(session, {name: lake.lake.name, reached, versionOf: () => snapshot});
    try {
      return await then(await bindQuery(session, query, reached), session, reached);
    } finally {
      await mirror.drop();
    }
  });
}

export async function bind(lake: TestLake, text: string | Query): Promise<Bound> {
  return await bindIn(lake, text, (bound) => bound);
}

/** The mistake that a query is refused for. */
export async function mistakeIn(lake: TestLake, text: string | Query): Promise<FreshetError> {
  try {
    await bind(lake, text);
  } catch (error) {
    if (error instanceof FreshetError) return error;
    throw error;
  }
  throw new Error(`${typeof text === 'string' ? text : text.text} was accepted`);
}
