/** [P-11.5] `/v1/dealers`: who the tenants are. For a server of all dealers. */
import { type Static, Type } from '@sinclair/typebox';
import { Dealer, DealerList, DealerPatch, DealerSettings, patched } from '../../../schemas/dealers.ts';
import { CLOSE, refused } from '../../../schemas/errors.ts';
import { Nothing } from '../../../schemas/http.ts';
import { Id } from '../../../schemas/kinds.ts';
import { ListQuery } from '../../../schemas/lists.ts';
import { ALL_DEALERS } from '../../../schemas/table.ts';
import { changedSettings } from '../../journal/audit.ts';
import { checker } from '../../protocol/checker.ts';
import type { CredentialStore } from '../../store/credentials.ts';
import type { DealerStore } from '../../store/dealers.ts';
import type { Core } from '../core.ts';
import { type Auditing, recordAct } from './audited.ts';
import { type Access, authenticateOperator } from './authenticate.ts';
import type { App } from './http.ts';
import { pageOf } from './page.ts';

const tags = ['dealers'];
const params = Type.Object({ dealerId: Id });
/** The type of a JSON Merge Patch [RFC 7396]. One that comes as plain JSON is taken, too. */
export const MERGE_PATCH = 'application/merge-patch+json';

const settingsOf = checker(DealerSettings);

const unknownDealer = () => refused('unknown_dealer', 'there is no such dealer');

/** A dealer, and of which generation its tokens must be that are minted now. */
async function dealerAt(store: DealerStore & CredentialStore, dealerId: string): Promise<Static<typeof Dealer> | null> {
  const dealer = await store.dealer(dealerId);
  const { current: generation } = await store.generation({ role: 'server', dealer: dealerId, sub: '' });
  return dealer && generation > 0 ? { ...dealer, generation } : dealer;
}

export function dealerRoutes(app: App, core: Access & Auditing & Pick<Core, 'hub' | 'revocations' | 'eraser'>): void {
  const { store, hub, revocations, eraser } = core;
  const onRequest = authenticateOperator(core);

  const listed = { tags, summary: 'Lists the dealers', querystring: ListQuery, response: { 200: DealerList } };
  app.get('/v1/dealers', { onRequest, schema: listed }, ({ query }) =>
    pageOf(
      'dealers',
      query,
      (after, { limit }) => store.dealers(after ?? '', limit),
      ({ dealerId }) => dealerId,
    ),
  );

  const read = { tags, summary: 'Reads a dealer', params, response: { 200: Dealer } };
  app.get('/v1/dealers/:dealerId', { onRequest, schema: read }, async ({ params: { dealerId } }) => {
    const dealer = await dealerAt(store, dealerId);
    if (!dealer) throw unknownDealer();
    return dealer;
  });

  const put = {
    tags,
    summary: 'Makes a dealer, or replaces all of its settings',
    params,
    body: DealerSettings,
    response: { 200: Dealer, 201: Dealer },
  };
  app.put('/v1/dealers/:dealerId', { onRequest, schema: put }, async (request, reply) => {
    const {
      params: { dealerId },
      body,
    } = request;
    const before = await store.dealer(dealerId);
    const isNew = await store.putDealer(dealerId, body);
    const dealer = await dealerAt(store, dealerId);
    if (!dealer) throw unknownDealer(); // removed meanwhile
    const { generation: _, ...settings } = dealer;
    await recordAct(core, request, { dealerId, action: 'change_dealer', detail: changedSettings(before, settings) });
    return reply.code(isNew ? 201 : 200).send(dealer);
  });

  const patch = {
    tags,
    summary: 'Changes some of a dealer’s settings',
    description: 'A JSON Merge Patch (RFC 7396) of the settings. `handBackAfter` holds `null` as a value: never.',
    params,
    body: DealerPatch,
    response: { 200: Dealer },
  };
  app.patch('/v1/dealers/:dealerId', { onRequest, schema: patch }, async (request) => {
    const {
      params: { dealerId },
      body,
    } = request;
    const change = (settings: DealerSettings) => settingsOf(patched(DealerSettings, settings, body));
    const changed = await store.changeDealer(dealerId, change);
    if (!changed) throw unknownDealer();
    const detail = changedSettings(changed.before, changed.after);
    await recordAct(core, request, { dealerId, action: 'change_dealer', detail });
    return (await dealerAt(store, dealerId)) ?? changed.after;
  });

  const removed = {
    tags,
    summary: 'Removes a dealer and everything of it, and closes its sockets',
    params,
    response: { 204: Nothing },
  };
  app.delete('/v1/dealers/:dealerId', { onRequest, schema: removed }, async (request, reply) => {
    const { dealerId } = request.params;
    if (!(await store.deleteDealer(dealerId))) throw unknownDealer();
    hub.close(CLOSE.unknownDealer, 'the dealer was removed', dealerId);
    eraser.wake();
    await revocations.told(dealerId);
    await recordAct(core, request, { dealerId: ALL_DEALERS, action: 'remove_dealer', detail: dealerId });
    return reply.code(204).send();
  });
}
