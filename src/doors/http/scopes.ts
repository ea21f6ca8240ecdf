/** [P-11.3] `/v1/dealers/{dealerId}/scopes/{scope}/events`: a scope's log, as the frames that were delivered. */
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import { refused } from '../../../schemas/errors.ts';
import { EventList } from '../../../schemas/http.ts';
import { Id } from '../../../schemas/kinds.ts';
import { EventsQuery, MAX_PAGE_BYTES } from '../../../schemas/lists.ts';
import { DEALER_SCOPE, DESK_SCOPE } from '../../../schemas/table.ts';
import { maySee } from '../../auth/permit.ts';
import { type Session, senderOf } from '../../auth/session.ts';
import { oneAtATime, pagesInTurn, readInTurn } from '../../commands/turns.ts';
import { isClaimed } from '../../domain/holding.ts';
import { piecesOf } from '../../journal/pieces.ts';
import { eventFrame } from '../../protocol/encode.ts';
import type { Bounds } from '../../store/bounded.ts';
import type { DealerStore } from '../../store/dealers.ts';
import type { LogStore, Stretch } from '../../store/log.ts';
import type { StoredEvent } from '../../store/rows.ts';
import type { Core } from '../core.ts';
import { type Access, authenticate, sessionAt, sessionNow } from './authenticate.ts';
import type { App } from './http.ts';
import { badCursor, cursorFor, placeOf } from './page.ts';

const params = Type.Object({ dealerId: Id, scope: Id });

export function scopeRoutes(app: App, core: Access & Pick<Core, 'epoch'> & { readonly store: LogStore }): void {
  const schema = {
    tags: ['events'],
    summary: "Reads a scope's log",
    description:
      'The frames as they were delivered, always ascending by seq. With `before` alone it reads backwards from there; else forwards, from `after` or from the beginning. A customer reads its group and `@dealer`.',
    params,
    querystring: EventsQuery,
    response: { 200: Type.Unsafe<Buffer>(EventList) },
  };
  const options = { onRequest: authenticate(core), schema };
  app.get('/v1/dealers/:dealerId/scopes/:scope/events', options, async (request, reply) => {
    const { params, query } = request;
    const { dealerId, scope } = params;
    const session = sessionAt(request, dealerId);
    if (!maySee(session, scope)) throw unknownGroup();
    await mustExist(core.store, session, dealerId, scope);
    const stretch = stretchOf(query);
    const read = (bounds: Bounds & Ends) => core.store.events(dealerId, scope, bounds);
    const write = async () => {
      await readInTurn();
      const epoch = core.epoch.now;
      const page = await read({ ...stretch, limit: query.limit, bytes: MAX_PAGE_BYTES });
      const rest = restOf(stretch, page);
      const hasMore = rest !== null && (await read({ ...rest, limit: 1 })).length > 0;
      // [P-3.1] While it waited the name may have become another customer's, whose log was read then.
      if (session.role === 'customer') await mustStillSee(core, request, scope);
      const next = hasMore ? cursorFor(`${rest.after ?? ''}-${rest.before ?? ''}`) : null;
      return bodyOf(page, { next, epoch });
    };
    // Between its pieces a page is in memory: one of those that somebody asks for at the same time.
    const body = await oneAtATime(`${dealerId}/${senderOf(session)}`, write);
    return reply.type('application/json; charset=utf-8').send(body);
  });
}

async function mustStillSee(core: Access, request: FastifyRequest, scope: string): Promise<void> {
  const session = await sessionNow(core, request);
  if (!maySee(session, scope)) throw unknownGroup();
  await mustExist(core.store, session, session.dealerId, scope);
}

/** A page as it is sent, written in turn: its texts may be long. */
async function bodyOf(page: readonly StoredEvent[], beside: { next: string | null; epoch: string }): Promise<Buffer> {
  const written = [Buffer.from('{"items":[')];
  const items = piecesOf(page, (event) => (event === page[0] ? '' : ',') + eventFrame(event));
  for await (const piece of pagesInTurn(items)) written.push(Buffer.from(piece));
  return Buffer.concat([...written, Buffer.from(`],${JSON.stringify(beside).slice(1)}`)]);
}

const unknownGroup = () => refused('unknown_group', 'this dealer has no such group');

async function mustExist(store: DealerStore, session: Session, dealerId: string, scope: string): Promise<void> {
  const isGroup = scope !== DEALER_SCOPE && scope !== DESK_SCOPE;
  const { dealer, group } = await store.standing(dealerId, isGroup ? scope : undefined);
  if (!dealer) throw refused('unknown_dealer', 'there is no such dealer');
  if (isGroup && !group) throw unknownGroup();
  // [P-3.1] It will be set aside as soon as this customer joins: until then it is a stranger's.
  if (session.role === 'customer' && session.minted && isClaimed(group)) throw unknownGroup();
}

/** Where a stretch of a log begins and ends, neither included. */
type Ends = Pick<Stretch, 'after' | 'before'>;

/** Rest of a stretch after a page: with `before` alone, it was read backwards. Null where the page was empty. */
function restOf(ends: Ends, page: readonly StoredEvent[]): Ends | null {
  const [first, last] = [page.at(0), page.at(-1)];
  if (!first || !last) return null;
  const isBackwards = ends.before !== undefined && ends.after === undefined;
  return isBackwards ? { before: first.seq } : { ...ends, after: last.seq };
}

/** Where to read on: after the cursor's place, or as asked. */
function stretchOf({ after, before, cursor }: Static<typeof EventsQuery>): Ends {
  if (cursor === undefined) return { ...(after !== undefined && { after }), ...(before !== undefined && { before }) };
  const [, low, high] = /^(\d{0,16})-(\d{0,16})$/.exec(placeOf(cursor)) ?? [];
  if (low === undefined || high === undefined) throw badCursor();
  return { ...(low && { after: Number(low) }), ...(high && { before: Number(high) }) };
}
