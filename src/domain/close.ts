import type { Static } from '@sinclair/typebox';
import type { CloseChat } from '../../schemas/accepted.ts';
import { author } from './author.ts';
import { carried } from './carried.ts';
import { type Decision, type State, withGroup } from './state.ts';

/** `CLOSE_CHAT` [P-7.2]. A customer who closes what is closed takes nothing from who closed it before [P-7.4]. */
export function close(state: State, body: Static<typeof CloseChat>): Decision {
  const { dealerId, groupId } = body;
  const who = author(body, 'server');
  const isLate = who.user === 'customer' && state.group?.closed;
  return {
    events: [{ type: 'CLOSE_CHAT', dealerId, groupId, ...who, ...carried(body), close: true }],
    state: withGroup(state, isLate ? {} : { closed: true, closedBy: who.user }),
  };
}
