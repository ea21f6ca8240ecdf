/** [P-11.8] `/v1/dealers/{dealerId}/reception`: whether somebody is here, for a page whose visitor has said nothing yet. */
import { Type } from '@sinclair/typebox';
import { Id } from '../../../schemas/kinds.ts';
import { Reception } from '../../../schemas/reception.ts';
import { mustBeTakenIn } from '../../conversation/admission.ts';
import type { DealerStore } from '../../store/dealers.ts';
import type { Core } from '../core.ts';
import type { App } from './http.ts';

const params = Type.Object({ dealerId: Id });
/** Where a group is named, it is also said whether an admin is here; this is no group's name. */
const NO_GROUP = '';

export function receptionRoutes(
  app: App,
  { store, limits, audit }: Pick<Core, 'limits' | 'audit'> & { readonly store: DealerStore },
): void {
  const schema = {
    tags: ['reception'],
    summary: 'Says whether an admin is here, before there is a conversation',
    description: 'Needs no token. Pages of any origin may read the answer: where theirs is not listed, it says so.',
    params,
    response: { 200: Reception },
  };
  const onRequest = limits.byAddress;
  const config = { errors: ['unknown_dealer', 'forbidden'] } as const;
  app.get('/v1/dealers/:dealerId/reception', { onRequest, config, schema }, async (request) => {
    const { dealerId } = request.params;
    const { dealer, adminOnline } = await store.standing(dealerId, NO_GROUP);
    mustBeTakenIn(audit, { dealerId, dealer, origin: request.headers.origin });
    return { online: adminOnline, claims: dealer?.claims ?? 'off' };
  });
}
