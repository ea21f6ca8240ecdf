import type { Static } from '@sinclair/typebox';
import type { CloseChat } from '../../schemas/accepted.ts';
import { author } from './author.ts';
import { type Decision, type State, withGroup } from './state.ts';

/** `CLOSE_CHAT` [P-7.2]. */
export function close(state: State, body: Static<typeof CloseChat>): Decision {
  const { dealerId, groupId } = body;
  return {
    events: [{ type: 'CLOSE_CHAT', dealerId, groupId, ...author(body), close: true }],
    state: withGroup(state, { closed: true }),
  };
}
