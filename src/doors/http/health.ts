/** [P-11.1] Is the process alive, and can it serve? */
import { performance } from 'node:perf_hooks';
import { refused } from '../../../schemas/errors.ts';
import { Health, Readiness } from '../../../schemas/http.ts';
import type { Upkeep } from '../../store/upkeep.ts';
import { AWAY, type Core } from '../core.ts';
import { ENDING } from '../drain.ts';
import type { App } from './http.ts';

const tags = ['health'];
/** Time for which what the database answered is told to everybody, in ms: to ask it is a write, and anybody may ask. */
const ANSWER_HOLDS = 1_000;

export function healthRoutes(
  app: App,
  {
    store,
    log,
    link,
    drain,
    version,
  }: Pick<Core, 'log' | 'link' | 'drain' | 'version'> & { readonly store: Pick<Upkeep, 'check'> },
): void {
  const alive = { tags, summary: 'Tells that the process lives', response: { 200: Health } };
  app.get('/health', { schema: alive }, async () => ({
    status: 'ok' as const,
    version,
    uptime: Math.round(process.uptime()),
  }));

  const check = heldFor(ANSWER_HOLDS, () =>
    store.check().catch((err: unknown) => {
      log.warn({ err }, 'not ready');
      throw refused('unavailable', 'the database does not answer, or cannot be written to');
    }),
  );
  const ready = { tags, summary: 'Tells whether it can serve', response: { 200: Readiness } };
  app.get('/ready', { schema: ready }, async () => {
    if (drain.isUnderWay) throw refused('unavailable', ENDING);
    if (link?.isAway) throw refused('unavailable', AWAY);
    await check();
    const ready = { status: 'ready' as const, database: 'ok' as const };
    if (link === null) return ready;
    const { troubles } = link;
    return Object.keys(troubles).length === 0
      ? { ...ready, redis: 'ok' as const }
      : { ...ready, redis: 'trouble' as const, troubles };
  });
}

/** Asks once in so many ms: whoever asks meanwhile gets the same answer. */
function heldFor<T>(ms: number, ask: () => Promise<T>): () => Promise<T> {
  let held: { readonly answer: Promise<T>; readonly until: number } | null = null;
  return () => {
    const now = performance.now();
    if (held === null || now >= held.until) held = { answer: ask(), until: now + ms };
    return held.answer;
  };
}
