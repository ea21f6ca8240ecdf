/** `/v1/dealers/{dealerId}/export`: everything of a dealer, streamed. */
import { Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import { refused } from '../../../schemas/errors.ts';
import { Id } from '../../../schemas/kinds.ts';
import { pagesInTurn } from '../../commands/turns.ts';
import { type Exported, exportOf } from '../../journal/export.ts';
import { type Auditing, recordAct } from './audited.ts';
import { type Access, authenticateReader } from './authenticate.ts';
import { contents } from './contents.ts';
import type { App } from './http.ts';

const params = Type.Object({ dealerId: Id });

export function exportRoutes(app: App, core: Access & Auditing & { readonly store: Exported }): void {
  app.get(
    '/v1/dealers/:dealerId/export',
    {
      onRequest: authenticateReader(core),
      schema: {
        tags: ['taking out'],
        summary: 'Everything of a dealer as NDJSON: a line each; the last one counts them',
        params,
        response: contents('A line each', { 'application/x-ndjson': Type.String() }),
      },
    },
    async (request, reply) => {
      const { dealerId } = request.params;
      const lines = await exportOf(core.store, dealerId);
      if (!lines) throw refused('unknown_dealer', 'there is no such dealer');
      await recordAct(core, request, { dealerId, action: 'export' });
      return reply
        .type('application/x-ndjson')
        .header('content-disposition', 'attachment; filename="export.ndjson"')
        .send(Readable.from(texts(lines), { objectMode: false }));
    },
  );
}

async function* texts(lines: AsyncIterable<{ text: string }>): AsyncGenerator<string> {
  for await (const { text } of pagesInTurn(lines)) yield text;
}
