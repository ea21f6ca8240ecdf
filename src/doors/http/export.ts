/** `/v1/dealers/{dealerId}/export` and `…/groups/{groupId}/export`: everything of a dealer, or of one of its customers, streamed. */
import { Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import type { FastifyReply } from 'fastify';
import { refused } from '../../../schemas/errors.ts';
import { GroupId, Id } from '../../../schemas/kinds.ts';
import { pagesInTurn } from '../../commands/turns.ts';
import { type Exported, exportOf, type Lines, type Place, placeOf } from '../../journal/export.ts';
import { exportOfGroup } from '../../journal/export-group.ts';
import { isJsonObject } from '../../protocol/checker.ts';
import { type Auditing, recordAct } from './audited.ts';
import { type Access, authenticateReader } from './authenticate.ts';
import { contents } from './contents.ts';
import { unknownGroup } from './groups.ts';
import type { App } from './http.ts';

const params = Type.Object({ dealerId: Id });
const ofGroup = Type.Object({ dealerId: Id, groupId: GroupId });
const querystring = Type.Object({
  after: Type.Optional(
    Type.String({
      maxLength: 2048,
      description:
        'a line of an export that was broken off, or of it no more than its `kind` and its key: what comes behind it is answered',
    }),
  ),
});

export function exportRoutes(app: App, core: Access & Auditing & { readonly store: Exported }): void {
  app.get(
    '/v1/dealers/:dealerId/export',
    {
      onRequest: authenticateReader(core),
      schema: {
        tags: ['taking out'],
        summary: 'Everything of a dealer as NDJSON: a line each; the last one counts them',
        params,
        querystring,
        response: contents('A line each', { 'application/x-ndjson': Type.String() }),
      },
    },
    async (request, reply) => {
      const { dealerId } = request.params;
      const { after } = request.query;
      const lines = await exportOf(core.store, dealerId, after === undefined ? {} : { after: placeIn(after) });
      if (!lines) throw refused('unknown_dealer', 'there is no such dealer');
      await recordAct(core, request, { dealerId, action: 'export' });
      return answered(reply, lines);
    },
  );

  app.get(
    '/v1/dealers/:dealerId/groups/:groupId/export',
    {
      onRequest: authenticateReader(core),
      schema: {
        tags: ['taking out'],
        summary: 'Everything known of one customer as NDJSON, as in an export of the dealer; the last line counts them',
        params: ofGroup,
        response: contents('A line each', { 'application/x-ndjson': Type.String() }),
      },
    },
    async (request, reply) => {
      const { dealerId, groupId } = request.params;
      const lines = await exportOfGroup(core.store, dealerId, groupId);
      if (!lines) throw unknownGroup();
      await recordAct(core, request, { dealerId, action: 'export' });
      return answered(reply, lines);
    },
  );
}

const answered = (reply: FastifyReply, lines: AsyncIterable<Lines>) =>
  reply
    .type('application/x-ndjson')
    .header('content-disposition', 'attachment; filename="export.ndjson"')
    .send(Readable.from(texts(lines), { objectMode: false }));

/** @throws RefusedError where it is no line of an export behind which one can go on */
function placeIn(text: string): Place {
  try {
    const line: unknown = JSON.parse(text);
    const place = isJsonObject(line) ? placeOf(line) : null;
    if (place) return place;
  } catch {
    // It was cut off, or never one of ours.
  }
  throw refused('invalid_payload', 'after: not a line of an export', {
    details: [
      {
        path: '/after',
        message: 'expected a line as it came, or its `kind` and its key: {"kind":"event","scope":"g1","seq":1}',
      },
    ],
  });
}

async function* texts(lines: AsyncIterable<{ text: string }>): AsyncGenerator<string> {
  for await (const { text } of pagesInTurn(lines)) yield text;
}
