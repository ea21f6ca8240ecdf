/** [P-11.5] `/v1/dealers`: who the tenants are. For a server of all dealers. */
import { Type } from '@sinclair/typebox';
import { DealerSettings } from '../../../schemas/dealers.ts';
import { CLOSE, refused } from '../../../schemas/errors.ts';
import { Id } from '../../../schemas/kinds.ts';
import { ListQuery } from '../../../schemas/lists.ts';
import type { Core } from '../core.ts';
import { authenticateOperator } from './authenticate.ts';
import type { Http } from './http.ts';
import { pageOf } from './page.ts';

const params = Type.Object({ dealerId: Id });
const unknownDealer = () => refused('unknown_dealer', 'there is no such dealer');

export function dealerRoutes(app: Http, core: Core): void {
  const { store, hub } = core;
  const onRequest = authenticateOperator(core);

  app.get('/v1/dealers', { onRequest, schema: { querystring: ListQuery } }, ({ query }) =>
    pageOf(
      query,
      (after, limit) => store.dealers(after ?? '', limit),
      ({ dealerId }) => dealerId,
    ),
  );

  app.get('/v1/dealers/:dealerId', { onRequest, schema: { params } }, async ({ params: { dealerId } }) => {
    const dealer = await store.dealer(dealerId);
    if (!dealer) throw unknownDealer();
    return dealer;
  });

  app.put(
    '/v1/dealers/:dealerId',
    { onRequest, schema: { params, body: DealerSettings } },
    async ({ params: { dealerId }, body }, reply) => {
      const isNew = await store.putDealer(dealerId, body);
      return reply.code(isNew ? 201 : 200).send(await store.dealer(dealerId));
    },
  );

  app.delete('/v1/dealers/:dealerId', { onRequest, schema: { params } }, async ({ params: { dealerId } }, reply) => {
    if (!(await store.deleteDealer(dealerId))) throw unknownDealer();
    hub.close(CLOSE.unknownDealer, 'the dealer was removed', dealerId);
    return reply.code(204).send();
  });
}
