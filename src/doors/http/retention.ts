/** [P-11.5] `POST /v1/retention`: erases at once what dealers' `retentionDays` no longer keep. For a server of all dealers. */
import { Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import { type Pruned, prune } from '../../journal/retention.ts';
import type { Core } from '../core.ts';
import { type Access, authenticateOperator } from './authenticate.ts';
import { contents } from './contents.ts';
import type { App } from './http.ts';

export function retentionRoutes(app: App, core: Access & Pick<Core, 'clock' | 'journal' | 'store'>): void {
  app.post(
    '/v1/retention',
    {
      onRequest: authenticateOperator(core),
      schema: {
        tags: ['erasing'],
        summary: "Erases what dealers' retentionDays no longer keep, now",
        description:
          'A line of NDJSON each time that it has come further: `{"dealers","groups","failed"}`, dealers looked at, and conversations erased or not. The last one has `"done":true`.',
        response: contents('A line each', { 'application/x-ndjson': Type.String() }),
      },
    },
    async (_, reply) =>
      reply
        .type('application/x-ndjson')
        .send(Readable.from(linesOf(prune(core.store, core.journal, core.clock.now())), { objectMode: false })),
  );
}

async function* linesOf(parts: AsyncIterable<Pruned>): AsyncGenerator<string> {
  let last: Pruned = { dealers: 0, groups: 0, failed: 0 };
  for await (last of parts) yield `${JSON.stringify(last)}\n`;
  yield `${JSON.stringify({ ...last, done: true })}\n`;
}
