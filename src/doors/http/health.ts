/** [P-11.1] Is the process alive, and can it serve? */
import type { FastifyInstance } from 'fastify';
import { refused } from '../../../schemas/errors.ts';
import type { Core } from '../core.ts';

export function healthRoutes(app: FastifyInstance, { store, log }: Core, version: string): void {
  app.get('/health', async () => ({ status: 'ok', version, uptime: Math.round(process.uptime()) }));

  app.get('/ready', async () => {
    try {
      await store.check();
    } catch (error) {
      log.warn({ err: error }, 'not ready');
      throw refused('unavailable', 'the database does not answer');
    }
    return { status: 'ready', database: 'ok' };
  });
}
