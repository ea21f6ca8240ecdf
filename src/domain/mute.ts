import type { Static } from '@sinclair/typebox';
import type { MuteBot, UnmuteBot } from '../../schemas/accepted.ts';
import type { MuteStatus } from '../../schemas/delivered.ts';
import { carried } from './carried.ts';
import { type Decision, type State, withGroup } from './state.ts';

/** [P-7.2] The event that tells whether the bot is silenced, and by which admin's doing it is or was. */
export const muteStatus = (
  at: { dealerId: string; groupId: string },
  adminId: string,
  muted: boolean,
): Static<typeof MuteStatus> => ({
  type: 'MUTE_STATUS',
  dealerId: at.dealerId,
  groupId: at.groupId,
  adminId,
  muted,
});

/** `MUTE_BOT` and `UNMUTE_BOT`. */
export function mute(state: State, body: Static<typeof MuteBot | typeof UnmuteBot>): Decision {
  const muted = body.type === 'MUTE_BOT';
  return {
    events: [{ ...muteStatus(body, body.adminId, muted), ...carried(body) }],
    state: withGroup(state, { mutedBy: muted ? body.adminId : null }),
  };
}
