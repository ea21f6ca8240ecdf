import type { Static } from '@sinclair/typebox';
import type { Handoff } from '../../schemas/accepted.ts';
import { waitingOf } from '../../schemas/waiting.ts';
import { carried } from './carried.ts';
import { tooManyOfBots } from './message.ts';
import { changed, type Decision, groupOf, type Policy, refuse, type State } from './state.ts';
import { afterBot, MARK, withDue } from './waiting.ts';

/** `HANDOFF`: a bot asks for a person, and may go on speaking until one answers: what it says is not the answer [P-12.8]. */
export function handoff(state: State, body: Static<typeof Handoff>, policy: Policy): Decision {
  const group = groupOf(state);
  const { at } = state;
  if (group.closed) return refuse('group_closed', 'the chat is closed: nobody waits in it');
  if (group.mutedBy !== null) return refuse('bot_muted', 'a person has this chat already');
  const tooMany = tooManyOfBots(group, policy);
  if (tooMany) return tooMany;
  const asked = changed(group, {
    waitingSince: group.waitingSince ?? at,
    waitingFor: 'admin',
    turnedAt: group.waitingFor === 'admin' ? group.turnedAt : at,
    marks: group.marks | MARK.handedOff,
    botRun: group.botRun + 1,
  });
  const rules = afterBot(state.rules, at);
  const { dealerId, groupId } = body;
  return {
    events: [{ type: 'HANDOFF', dealerId, groupId, user: 'bot', ...carried(body), waiting: waitingOf(asked) }],
    state: { ...state, rules, group: withDue(asked, rules, at) },
  };
}
