import type { Static } from '@sinclair/typebox';
import type { MuteBot, UnmuteBot } from '../../schemas/accepted.ts';
import type { MuteStatus } from '../../schemas/delivered.ts';
import { waitingOf } from '../../schemas/waiting.ts';
import { carried } from './carried.ts';
import { changed, type Decision, type Group, groupOf, type State } from './state.ts';
import { turnedByMute, withDue } from './waiting.ts';

/**
 * [P-7.2] The event that tells whether the bot is silenced, and by which admin's doing it is or was.
 * @param after the group as it is then
 */
export const muteStatus = (
  at: { dealerId: string; groupId: string },
  adminId: string,
  muted: boolean,
  after: Group,
): Static<typeof MuteStatus> => ({
  type: 'MUTE_STATUS',
  dealerId: at.dealerId,
  groupId: at.groupId,
  adminId,
  muted,
  waiting: waitingOf(after),
});

/** `MUTE_BOT` and `UNMUTE_BOT`. [P-12.1] With the bot, whose it is to answer turns. */
export function mute(state: State, body: Static<typeof MuteBot | typeof UnmuteBot>): Decision {
  const { rules, at } = state;
  const muted = body.type === 'MUTE_BOT';
  const given = changed(groupOf(state), muted ? { mutedBy: body.adminId, actedAt: at } : { mutedBy: null });
  const group = turnedByMute(given, rules, at);
  return {
    events: [{ ...muteStatus(body, body.adminId, muted, group), ...carried(body) }],
    state: { ...state, group: withDue(group, rules, at) },
  };
}
