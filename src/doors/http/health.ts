/** [P-11.1] Is the process alive, and can it serve? */
import { refused } from '../../../schemas/errors.ts';
import { Health, Readiness } from '../../../schemas/http.ts';
import type { Upkeep } from '../../store/upkeep.ts';
import { AWAY, type Core } from '../core.ts';
import { ENDING } from '../drain.ts';
import type { App } from './http.ts';

const tags = ['health'];

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

  const ready = { tags, summary: 'Tells whether it can serve', response: { 200: Readiness } };
  app.get('/ready', { schema: ready }, async () => {
    if (drain.isUnderWay) throw refused('unavailable', ENDING);
    if (link?.isAway) throw refused('unavailable', AWAY);
    try {
      await store.check();
    } catch (error) {
      log.warn({ err: error }, 'not ready');
      throw refused('unavailable', 'the database does not answer, or cannot be written to');
    }
    const ready = { status: 'ready' as const, database: 'ok' as const };
    if (link === null) return ready;
    const { troubles } = link;
    return Object.keys(troubles).length === 0
      ? { ...ready, redis: 'ok' as const }
      : { ...ready, redis: 'trouble' as const, troubles };
  });
}
