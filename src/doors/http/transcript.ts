/** `/v1/dealers/{dealerId}/groups/{groupId}/transcript`: what was said in a conversation, as JSON or as plain text. */
import { Readable } from 'node:stream';
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id } from '../../../schemas/kinds.ts';
import { Transcript, type TranscriptLine } from '../../../schemas/reading.ts';
import type { Store, StoredEvent } from '../../journal/store.ts';
import { instant } from '../../protocol/encode.ts';
import type { Core } from '../core.ts';
import { authenticate, mustRead } from './authenticate.ts';
import { contents } from './contents.ts';
import { unknownGroup } from './groups.ts';
import type { Http } from './http.ts';
import { formatFor } from './negotiate.ts';

/** Events that are read from the log at a time. */
const AT_ONCE = 500;

const params = Type.Object({ dealerId: Id, groupId: GroupId });

export function transcriptRoutes(app: Http, core: Core): void {
  app.get(
    '/v1/dealers/:dealerId/groups/:groupId/transcript',
    {
      onRequest: authenticate(core),
      schema: {
        tags: ['taking out'],
        summary: 'What was said in a conversation, and who came and went',
        params,
        response: contents('Its lines, in order', { 'application/json': Transcript, 'text/plain': Type.String() }),
      },
    },
    async (request, reply) => {
      const { dealerId, groupId } = request.params;
      await mustRead(core, request, dealerId);
      if (!(await core.store.group(dealerId, groupId))) throw unknownGroup();
      const format = formatFor(request, ['application/json', 'text/plain']);
      reply.header('vary', 'accept').type(`${format}; charset=utf-8`);
      const pieces = WRITERS[format](dealerId, groupId, linesOf(core.store, dealerId, groupId));
      return reply.send(Readable.from(pieces, { objectMode: false }));
    },
  );
}

type Line = Static<typeof TranscriptLine>;
type Lines = AsyncIterable<Line[]>;

async function* linesOf(store: Store, dealerId: string, groupId: string): Lines {
  for (let after = 0; ; ) {
    const events = await store.events(dealerId, groupId, { after, limit: AT_ONCE });
    if (events.length > 0) yield events.map(lineOf);
    const last = events.at(-1);
    if (!last || events.length < AT_ONCE) return;
    after = last.seq;
  }
}

function lineOf({ seq, at, payload }: StoredEvent): Line {
  const { dealerId: _, groupId: __, ...said }: Line & { dealerId?: string; groupId?: string } = JSON.parse(payload);
  return { ...said, seq, at: instant(at) };
}

const WRITERS = {
  async *'application/json'(dealerId: string, groupId: string, pages: Lines) {
    let separator = '';
    yield `{"dealerId":${JSON.stringify(dealerId)},"groupId":${JSON.stringify(groupId)},"lines":[`;
    for await (const lines of pages) {
      yield separator + lines.map((line) => JSON.stringify(line)).join(',');
      separator = ',';
    }
    yield ']}';
  },
  async *'text/plain'(_: string, __: string, pages: Lines) {
    for await (const lines of pages) yield lines.map((line) => `${line.at}  ${inWords(line)}\n`).join('');
  },
} as const;

/** Text on lines of its own, of which none can be taken for the beginning of another. */
const indented = (text: string): string =>
  text.replace(/\r\n?|[\n\u2028\u2029]/g, '\n    ').replace(/[^\P{Cc}\n]/gu, '\ufffd');

const nameOf = ({ user, adminId }: Line): string => adminId ?? user ?? 'somebody';

function inWords(line: Line): string {
  switch (line.type) {
    case 'CHAT_MSG':
      return `${nameOf(line)}: ${indented(line.message ?? '')}`;
    case 'MUTE_STATUS':
      return line.muted ? `-- ${line.adminId} took over from the bot` : `-- ${line.adminId} let the bot speak again`;
    case 'CLOSE_CHAT':
      return `-- closed by ${nameOf(line)}`;
    case 'UPDATE_CHAT':
      return line.online ? `-- ${line.adminId} came` : `-- ${line.adminId} left`;
    default:
      return `-- ${line.type}`;
  }
}
