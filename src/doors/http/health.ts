/** [P-11.1] Is the process alive, and can it serve? */
import type { Refusal } from '../../../schemas/errors.ts';
import { Health, Readiness } from '../../../schemas/http.ts';
import { AWAY, type Core } from '../core.ts';
import { ENDING } from '../drain.ts';
import { type Asked, type Parts, partsOf } from '../parts.ts';
import type { App } from './http.ts';
import { sendProblem } from './problem.ts';

const tags = ['health'];

export function healthRoutes(app: App, core: Asked & Pick<Core, 'version' | 'metrics'>): void {
  const { link, metrics, version } = core;
  const alive = { tags, summary: 'Tells that the process lives', response: { 200: Health } };
  app.get('/health', { schema: alive }, async () => ({
    status: 'ok' as const,
    version,
    uptime: Math.round(process.uptime()),
  }));

  const parts = partsOf(core);
  const ready = {
    tags,
    summary: 'Tells whether it can serve',
    description: 'Where it cannot, `parts` is a member of the error, too.',
    response: { 200: Readiness },
  };
  app.get('/ready', { schema: ready }, async (_, reply) => {
    const now = await parts();
    const message = whyNot(core, now);
    if (message !== null) {
      const refusal: Refusal = { code: 'unavailable', message };
      metrics.refused(refusal.code);
      return sendProblem(reply, refusal, { parts: now });
    }
    const troubles = link?.troubles ?? {};
    const isWell = Object.keys(troubles).length === 0;
    return {
      status: 'ready' as const,
      database: 'ok' as const,
      ...(link && (isWell ? { redis: 'ok' as const } : { redis: 'trouble' as const, troubles })),
      parts: now,
    };
  });
}

/** @returns why it cannot serve, where it cannot */
function whyNot({ link, drain }: Pick<Asked, 'link' | 'drain'>, { database }: Parts): string | null {
  if (drain.isUnderWay) return ENDING;
  if (link?.isAway) return AWAY;
  return database.state === 'ok' ? null : 'the database does not answer, or cannot be written to';
}
