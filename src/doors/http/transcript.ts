/** `/v1/dealers/{dealerId}/groups/{groupId}/transcript`: what was said in a conversation, as JSON or as plain text. */
import { Readable } from 'node:stream';
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id } from '../../../schemas/kinds.ts';
import { Transcript, type TranscriptLine } from '../../../schemas/reading.ts';
import { pagesInTurn } from '../../commands/turns.ts';
import { piecesOf } from '../../journal/pieces.ts';
import { instant } from '../../protocol/encode.ts';
import { inWords } from '../../protocol/words.ts';
import type { LogStore } from '../../store/log.ts';
import type { StoredEvent } from '../../store/rows.ts';
import { type Auditing, recordAct } from './audited.ts';
import { type Access, authenticateReader } from './authenticate.ts';
import { contents } from './contents.ts';
import { unknownGroup } from './groups.ts';
import type { App } from './http.ts';
import { formatFor } from './negotiate.ts';

/** Events that are read from the log at a time, and their bytes: half a millisecond's work. */
const AT_ONCE = { limit: 500, bytes: 64 * 1024 };

const params = Type.Object({ dealerId: Id, groupId: GroupId });

export function transcriptRoutes(app: App, core: Access & Auditing & { readonly store: LogStore }): void {
  app.get(
    '/v1/dealers/:dealerId/groups/:groupId/transcript',
    {
      onRequest: authenticateReader(core),
      config: { errors: ['not_acceptable'] },
      schema: {
        tags: ['taking out'],
        summary: 'What was said in a conversation, and who came and went',
        params,
        response: contents('Its lines, in order', { 'application/json': Transcript, 'text/plain': Type.String() }),
      },
    },
    async (request, reply) => {
      const { dealerId, groupId } = request.params;
      if (!(await core.store.group(dealerId, groupId))) throw unknownGroup();
      const format = formatFor(request, reply, ['application/json', 'text/plain']);
      await recordAct(core, request, { dealerId, action: 'transcript' });
      reply.type(`${format}; charset=utf-8`);
      const pieces = WRITERS[format](dealerId, groupId, eventsOf(core.store, dealerId, groupId));
      return reply.send(Readable.from(pagesInTurn(pieces), { objectMode: false }));
    },
  );
}

type Line = Static<typeof TranscriptLine>;
type Pages = AsyncIterable<StoredEvent[]>;

async function* eventsOf(store: LogStore, dealerId: string, groupId: string): Pages {
  for (let after = 0; ; ) {
    const events = await store.events(dealerId, groupId, { after, ...AT_ONCE });
    const last = events.at(-1);
    if (!last) return;
    yield events;
    after = last.seq;
  }
}

function lineOf({ seq, at, payload }: StoredEvent): Line {
  const { dealerId: _, groupId: __, waiting: ___, ...said } = JSON.parse(payload);
  return { ...said, seq, at: instant(at) };
}

const WRITERS = {
  async *'application/json'(dealerId: string, groupId: string, pages: Pages) {
    let separator = '';
    yield `{"dealerId":${JSON.stringify(dealerId)},"groupId":${JSON.stringify(groupId)},"lines":[`;
    for await (const events of pages) {
      yield* piecesOf(events, (event) => {
        const text = separator + JSON.stringify(lineOf(event));
        separator = ',';
        return text;
      });
    }
    yield ']}';
  },
  async *'text/plain'(_: string, __: string, pages: Pages) {
    for await (const events of pages) {
      yield* piecesOf(events, ({ at, payload }) => `${instant(at)}  ${inWords(JSON.parse(payload))}\n`);
    }
  },
} as const;
