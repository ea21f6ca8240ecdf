/** Parts of a node, and how each is, for whoever looks after it: `ok`, or in a few words what is wrong. Never what a driver says. */
import { performance } from 'node:perf_hooks';
import type { Static } from '@sinclair/typebox';
import type { ReadinessParts } from '../../schemas/http.ts';
import type { Upkeep } from '../store/upkeep.ts';
import type { Core } from './core.ts';

export type Parts = Static<typeof ReadinessParts>;

/** Parts of a server that can be asked how they are. */
export type Asked = Pick<Core, 'log' | 'link' | 'drain' | 'epoch'> & {
  readonly store: Pick<Upkeep, 'check' | 'schema' | 'faultOfDisk'>;
};

/** Time for which what the database answered is told to everybody, in ms: to ask it is a write, and anybody may ask. */
const ANSWER_HOLDS = 1_000;

/** Words for what a database says by its code: of any other, it does not answer. */
const FAULTS: readonly (readonly [code: RegExp, words: string])[] = [
  [/^SQLITE_FULL/, 'there is no room to write'],
  [/^SQLITE_BUSY/, 'another process has locked it'],
  [/^(SQLITE_READONLY|25006)/, 'it can only be read'],
];

/** The code that a driver's error has, or else that of the error which it is the cause of. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return 'code' in error ? String(error.code) : codeOf(error.cause);
}

async function stateOfDatabase({ store, log }: Pick<Asked, 'store' | 'log'>): Promise<string> {
  try {
    await store.check();
    return 'ok';
  } catch (error) {
    log.warn({ err: error }, 'not ready');
    const code = codeOf(error);
    const [, words = 'it does not answer'] = FAULTS.find(([known]) => known.test(code)) ?? [];
    return words;
  }
}

/** @returns what asks a node's parts how they are: the database and its disk once in {@link ANSWER_HOLDS}, the others each time */
export function partsOf(asked: Asked): () => Promise<Parts> {
  const { store, link, drain, epoch } = asked;
  const kept = heldFor(ANSWER_HOLDS, () =>
    Promise.all([stateOfDatabase(asked), store.faultOfDisk?.().catch(() => 'it cannot be looked at')]),
  );
  return async () => {
    const [state, disk] = await kept();
    const ties = [...(link?.conditions ?? [])].map(
      ([part, { fault, since }]) => [part, { state: fault ?? 'ok', since: new Date(since).toISOString() }] as const,
    );
    return {
      database: { state, epoch: epoch.now, schema: store.schema },
      ...(store.faultOfDisk && { disk: { state: disk ?? 'ok' } }),
      drain: { state: drain.isUnderWay ? 'this node is about to end' : 'ok' },
      ...Object.fromEntries(ties),
    };
  };
}

/** Asks again so many ms after the answer came: whoever asks meanwhile gets the same one. */
function heldFor<T>(ms: number, ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | null = null;
  let until = 0;
  return () => {
    if (answer !== null && performance.now() < until) return answer;
    until = Number.POSITIVE_INFINITY; // one that hangs is not asked once more
    answer = ask().finally(() => {
      until = performance.now() + ms;
    });
    return answer;
  };
}
