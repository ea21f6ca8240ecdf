import type { Static } from '@sinclair/typebox';
import type { CloseChat } from '../../schemas/accepted.ts';
import { assigned } from './assign.ts';
import { author } from './author.ts';
import { carried } from './carried.ts';
import { type Decision, type State, withGroup } from './state.ts';
import { ANSWERED } from './waiting.ts';

/** `CLOSE_CHAT` [P-7.2]. A customer who closes what is closed takes nothing from who closed it before [P-7.4]. */
export function close(state: State, body: Static<typeof CloseChat>): Decision {
  const { dealerId, groupId } = body;
  const who = author(body, 'server');
  const isLate = who.user === 'customer' && state.group?.closed;
  const leaves = (state.group?.assignee ?? null) !== null;
  return {
    events: [
      ...(leaves ? [assigned(body, null, 'closed', who.adminId)] : []),
      { type: 'CLOSE_CHAT', dealerId, groupId, ...who, ...carried(body), close: true, waiting: null },
    ],
    state: withGroup(state, { ...ANSWERED, assignee: null, ...(!isLate && { closed: true, closedBy: who.user }) }),
  };
}
