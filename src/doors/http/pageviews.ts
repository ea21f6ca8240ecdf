/** [P-11.3] `/v1/dealers/{dealerId}/pageviews`: what customers looked at. */
import { Type } from '@sinclair/typebox';
import { Id } from '../../../schemas/kinds.ts';
import { PageviewList, PageviewsQuery } from '../../../schemas/reading.ts';
import type { RecordStore } from '../../store/records.ts';
import { type Access, authenticateReader } from './authenticate.ts';
import type { App } from './http.ts';
import { pageviewItem } from './items.ts';
import { badCursor, pageOf } from './page.ts';

const params = Type.Object({ dealerId: Id });

export function pageviewRoutes(app: App, core: Access & { readonly store: RecordStore }): void {
  app.get(
    '/v1/dealers/:dealerId/pageviews',
    {
      onRequest: authenticateReader(core),
      schema: {
        tags: ['reading'],
        summary: 'Page views, the last first; of one group alone, where it is named',
        params,
        querystring: PageviewsQuery,
        response: { 200: PageviewList },
      },
    },
    async (request) => {
      const { dealerId } = request.params;
      const { groupId, ...paging } = request.query;
      const page = await pageOf(
        'pageviews',
        paging,
        (place, bounds) =>
          core.store.pageviews(dealerId, {
            ...bounds,
            ...(groupId !== undefined && { groupId }),
            ...(place !== undefined && { before: seqFrom(place) }),
          }),
        ({ seq }) => String(seq),
      );
      return { items: page.items.map((event) => pageviewItem(dealerId, event)), next: page.next };
    },
  );
}

function seqFrom(place: string): number {
  if (!/^\d{1,15}$/.test(place)) throw badCursor();
  return Number(place);
}
