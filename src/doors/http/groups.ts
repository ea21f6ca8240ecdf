/** [P-11.3, P-11.4] `/v1/dealers/{dealerId}/groups`: the conversations of a dealer, read and erased. */
import { randomUUID } from 'node:crypto';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import { RefusedError, refused } from '../../../schemas/errors.ts';
import { GroupId, Id } from '../../../schemas/kinds.ts';
import { ListQuery, MAX_PAGE_BYTES } from '../../../schemas/lists.ts';
import { ErasureList, ErasureReceipt, GroupItem, GroupList, GroupsQuery, namesIn } from '../../../schemas/reading.ts';
import { senderOf } from '../../auth/session.ts';
import { readInTurn } from '../../commands/turns.ts';
import type { ErasureStore } from '../../store/erasures.ts';
import type { GroupStore, KeptGroup } from '../../store/groups.ts';
import type { Core } from '../core.ts';
import { type Auditing, recordAct } from './audited.ts';
import { type Access, authenticateReader, sessionOfRequest } from './authenticate.ts';
import { originOf } from './headers.ts';
import type { App } from './http.ts';
import { groupItem, receiptItem } from './items.ts';
import { cursorAt, markAt, pageByTime } from './page.ts';

const dealerParams = Type.Object({ dealerId: Id });
const groupParams = Type.Object({ dealerId: Id, groupId: GroupId });
export const unknownGroup = () => refused('unknown_group', 'this dealer has no such group');

export function groupRoutes(
  app: App,
  core: Access & Auditing & Pick<Core, 'journal'> & { readonly store: Pick<ErasureStore, 'erasures' | 'erasure'> },
): void {
  const { store, journal } = core;
  const onRequest = authenticateReader(core);

  /** Lists groups as they are shown, each with the admins who have it open, and how far the admin has read who asks [P-12.7]. */
  async function itemsOf(request: FastifyRequest, dealerId: string, groups: readonly KeptGroup[]) {
    await readInTurn();
    const session = sessionOfRequest(request);
    const groupIds = groups.map(({ groupId }) => groupId);
    const admins = await store.adminsIn(dealerId, groupIds);
    const reads = session.role === 'admin' ? await store.adminReads(dealerId, session.adminId, groupIds) : null;
    return groups.map((group) =>
      groupItem(dealerId, group, {
        admins: admins.get(group.groupId) ?? [],
        ...(reads && { readByMe: reads.get(group.groupId) ?? 0 }),
      }),
    );
  }

  app.get(
    '/v1/dealers/:dealerId/groups',
    {
      onRequest,
      schema: {
        tags: ['reading'],
        summary: "A dealer's conversations, those first in which something happened last, or those named",
        description:
          'Where a filter finds little, a page may have no item and yet a `next`: so many conversations were looked at, and the rest is behind it.',
        params: dealerParams,
        querystring: GroupsQuery,
        response: { 200: GroupList },
      },
    },
    async (request) => {
      const { dealerId } = request.params;
      const { items, next } = await groupsPage(store, dealerId, request.query);
      const shown = await itemsOf(request, dealerId, items);
      return { items: shown, next: next && cursorAt(listOf(request.query), next) };
    },
  );

  app.get(
    '/v1/dealers/:dealerId/groups/:groupId',
    {
      onRequest,
      schema: { tags: ['reading'], summary: 'One conversation', params: groupParams, response: { 200: GroupItem } },
    },
    async (request) => {
      const { dealerId, groupId } = request.params;
      const group = await store.group(dealerId, groupId);
      if (!group) throw unknownGroup();
      const [item] = await itemsOf(request, dealerId, [group]);
      return item;
    },
  );

  app.delete(
    '/v1/dealers/:dealerId/groups/:groupId',
    {
      onRequest,
      schema: {
        tags: ['reading'],
        summary: 'Erases a conversation with its user, lead, intents and page views, and answers with the receipt',
        params: groupParams,
        response: { 200: ErasureReceipt },
      },
    },
    async (request) => {
      const { dealerId, groupId } = request.params;
      const session = sessionOfRequest(request);
      const erasureId = randomUUID();
      const body = { type: 'ERASE_GROUP', dealerId, groupId, erasureId, reason: 'request' } as const;
      const command = { role: session.role, sender: senderOf(session), key: null, body };
      const outcome = await journal.append(command, originOf(request));
      if ('refusal' in outcome) throw new RefusedError(outcome.refusal);
      const receipt = await store.erasure(dealerId, erasureId);
      if (!receipt) throw refused('internal', 'the receipt is not there');
      await recordAct(core, request, { dealerId, action: 'erase_group', detail: erasureId });
      return receiptItem(dealerId, receipt);
    },
  );

  app.get(
    '/v1/dealers/:dealerId/erasures',
    {
      onRequest,
      schema: {
        tags: ['reading'],
        summary: 'The receipts of what was erased, the last first',
        params: dealerParams,
        querystring: ListQuery,
        response: { 200: ErasureList },
      },
    },
    async (request) => {
      const { dealerId } = request.params;
      const page = await pageByTime(
        'erasures',
        request.query,
        (part) => store.erasures(dealerId, part),
        ({ at, erasureId }) => ({ at, key: [erasureId] }),
        1,
      );
      return { items: page.items.map((receipt) => receiptItem(dealerId, receipt)), next: page.next };
    },
  );
}

/** The name of a list's cursors: what is in one order is no place in another. */
const listOf = ({ order }: Pick<Static<typeof GroupsQuery>, 'order'>): string =>
  order ? `groups by ${order}` : 'groups';

/** [P-11.3] A page of groups, and the mark behind which the next one is: where hardly any is wanted, it may be empty. */
async function groupsPage(
  store: GroupStore,
  dealerId: string,
  { limit, cursor, groupId, ...filter }: Static<typeof GroupsQuery>,
) {
  if (groupId !== undefined) return { items: await store.groupsNamed(dealerId, filter, namesIn(groupId)), next: null };
  const after = markAt(listOf(filter), cursor, 1);
  const { groups: items, lookedTo } = await store.groups(dealerId, filter, { after, limit, bytes: MAX_PAGE_BYTES });
  const last = items.at(-1);
  if (!last) return { items, next: lookedTo };
  const at = filter.order === 'waiting' ? (last.waitingSince ?? 0) : last.updatedAt;
  const mark = { at, key: [last.groupId] };
  await readInTurn();
  const beyond = await store.groups(dealerId, filter, { after: mark, limit: 1 });
  return { items, next: beyond.groups.length > 0 ? mark : beyond.lookedTo };
}
