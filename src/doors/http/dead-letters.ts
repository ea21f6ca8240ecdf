/** [P-11.5] `/v1/dead-letters`: what came over Redis and was refused. For a server of all dealers. */
import { Type } from '@sinclair/typebox';
import { DeadLetterList } from '../../../schemas/dead-letters.ts';
import { EVENT_ERRORS, RefusedError, refused } from '../../../schemas/errors.ts';
import { AckPayload } from '../../../schemas/frames.ts';
import { ListQuery } from '../../../schemas/lists.ts';
import { ALL_DEALERS } from '../../../schemas/table.ts';
import { ackPayload, instant } from '../../protocol/encode.ts';
import type { LetterStore } from '../../store/letters.ts';
import type { Core } from '../core.ts';
import { type Taking, takeEvent, wayOf } from '../redis/take.ts';
import { type Auditing, recordAct } from './audited.ts';
import { type Access, authenticateOperator } from './authenticate.ts';
import type { App } from './http.ts';
import { pageOf } from './page.ts';

const tags = ['dead letters'];
const params = Type.Object({
  id: Type.String({ pattern: '^[0-9a-z-]{1,64}$', description: "a letter's id, as the list has it" }),
});

export function deadLetterRoutes(
  app: App,
  core: Access & Auditing & Taking & Pick<Core, 'dialect'> & { readonly store: LetterStore },
): void {
  const { store } = core;
  const onRequest = authenticateOperator(core);

  const listed = {
    tags,
    summary: 'Lists what came over Redis and was refused, the oldest first',
    querystring: ListQuery,
    response: { 200: DeadLetterList },
  };
  app.get('/v1/dead-letters', { onRequest, schema: listed }, ({ query }) =>
    pageOf(
      'dead-letters',
      query,
      async (after, bounds) =>
        (await store.deadLetters(after ?? '', bounds)).map((letter) => ({ ...letter, at: instant(letter.at) })),
      ({ deadLetterId }) => deadLetterId,
    ),
  );

  const replayed = {
    tags,
    summary: 'Takes a dead letter again',
    description: 'Taken, it is gone. Refused again, it stays, and the answer is its error.',
    params,
    response: { 200: AckPayload },
  };
  app.post(
    '/v1/dead-letters/:id/replay',
    { onRequest, schema: replayed, config: { errors: [...EVENT_ERRORS, 'bad_frame', 'unknown_route'] } },
    async (request) => {
      const { id } = request.params;
      const letter = await store.deadLetter(id);
      if (!letter) throw refused('unknown_route', 'there is no such dead letter');
      const way = wayOf(letter, core.dialect);
      const outcome = await takeEvent(core, way, letter.payload, id); // replayed twice at once, it is stored once
      if ('refusal' in outcome) throw new RefusedError(outcome.refusal);
      await store.removeDeadLetter(id);
      await recordAct(core, request, { dealerId: ALL_DEALERS, action: 'replay_dead_letter', detail: id });
      return ackPayload(outcome.ack?.id ?? id, outcome.ack);
    },
  );
}
