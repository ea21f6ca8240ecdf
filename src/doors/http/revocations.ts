/** [P-4] `/v1/dealers/{dealerId}/revocations`: tokens are taken back. For servers of the dealer, or of all. */
import { Type } from '@sinclair/typebox';
import { refused } from '../../../schemas/errors.ts';
import { DealerOrAll } from '../../../schemas/kinds.ts';
import { ALL_DEALERS } from '../../../schemas/table.ts';
import { Revocation, RevocationRequest } from '../../../schemas/tokens.ts';
import type { Core } from '../core.ts';
import { type Auditing, recordAct } from './audited.ts';
import { type Access, authenticateServerOf } from './authenticate.ts';
import type { App } from './http.ts';

const revocationParams = Type.Object({ dealerId: DealerOrAll });

export function revocationRoutes(app: App, core: Access & Auditing & Pick<Core, 'revocations'>): void {
  const { store, revocations } = core;
  const schema = {
    tags: ['dealers'],
    summary: 'Takes back every token of somebody, or of the whole dealer, that was signed until now',
    description:
      'Sockets that were joined with one are closed with 4401, on every node within two seconds. The answer says of which generation tokens must be from now on: a backend that mints its own puts it into them as `gen`.',
    params: revocationParams,
    body: RevocationRequest,
    response: { 200: Revocation },
  };
  const onRequest = authenticateServerOf(core);
  app.post('/v1/dealers/:dealerId/revocations', { onRequest, schema }, async (request) => {
    const { params, body } = request;
    const { dealerId } = params;
    const isKnown = dealerId === ALL_DEALERS || (await store.dealer(dealerId)) !== null;
    if (!isKnown) throw refused('unknown_dealer', 'there is no such dealer');
    const generation = await revocations.revoke(dealerId, 'role' in body ? body : undefined);
    const detail = 'role' in body ? (body.role === 'customer' ? body.role : `${body.role}:${body.sub}`) : '';
    await recordAct(core, request, { dealerId, action: 'revoke', detail });
    return { dealerId, ...body, generation };
  });
}
