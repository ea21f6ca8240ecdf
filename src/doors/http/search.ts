/** [P-17.1] `/v1/dealers/{dealerId}/search`: conversations by what is known of their customers, and by what was said. */
import { Type } from '@sinclair/typebox';
import { Id } from '../../../schemas/kinds.ts';
import { SearchList, SearchQuery } from '../../../schemas/reading.ts';
import { instant } from '../../protocol/encode.ts';
import type { SearchStore } from '../../store/searching.ts';
import { type Access, authenticateReader } from './authenticate.ts';
import type { App } from './http.ts';
import { badCursor, cursorAt, markAt } from './page.ts';

const params = Type.Object({ dealerId: Id });

export function searchRoutes(app: App, core: Access & { readonly store: SearchStore }): void {
  app.get(
    '/v1/dealers/:dealerId/search',
    {
      onRequest: authenticateReader(core),
      schema: {
        tags: ['reading'],
        summary: 'Conversations in which something is found, those first in which something happened last',
        description:
          'Words are found by their beginning, without regard to case and accents, phone numbers by their digits, VIN and stock exactly; in closed conversations, too. ' +
          'A page may have few items, or none, and yet a `next`: so many conversations were looked through, and the rest is behind it.',
        params,
        querystring: SearchQuery,
        response: { 200: SearchList },
      },
    },
    async (request) => {
      const { dealerId } = request.params;
      const { q, limit, cursor } = request.query;
      const after = markAt('search', cursor, 2);
      if (after && !/^\d{1,16}$/.test(after.key[1] ?? '')) throw badCursor();
      const { hits, lookedTo } = await core.store.search(dealerId, q, { after, limit });
      return {
        items: hits.map(({ at, ...hit }) => ({ dealerId, ...hit, at: instant(at) })),
        next: lookedTo && cursorAt('search', lookedTo),
      };
    },
  );
}
