import type { Static } from '@sinclair/typebox';
import type { SysMsg } from '../../schemas/accepted.ts';
import { carried } from './carried.ts';
import type { Decision, State } from './state.ts';

/** `SYS_MSG`: an announcement to everybody at the dealer [P-7.2]. */
export function announce(state: State, body: Static<typeof SysMsg>): Decision {
  const { dealerId, adminId } = body;
  return {
    events: [{ type: 'SYS_MSG', dealerId, adminId, user: 'admin', muted: true, unread: 0, ...carried(body) }],
    state,
  };
}
