import type { Static } from '@sinclair/typebox';
import type { UpdateMsg } from '../../schemas/accepted.ts';
import type { Event } from '../../schemas/delivered.ts';
import { waitingOf } from '../../schemas/waiting.ts';
import { assigned, otherThan } from './assign.ts';
import { author } from './author.ts';
import { carried } from './carried.ts';
import { muteStatus } from './mute.ts';
import { changed, type Decision, type Group, groupOf, type Policy, refuse, type State } from './state.ts';
import { ANSWERED, afterBot, answering, MARK, turnedByMute, withDue } from './waiting.ts';

type Message = Static<typeof UpdateMsg>;

/** `UPDATE_MSG`: somebody says something [P-7.1]. */
export function message(state: State, body: Message, policy: Policy): Decision {
  const group = groupOf(state);
  if (body.user === 'customer') return customerSays(state, group, body);
  if (body.user === 'admin') return adminSays(state, group, body, body.adminId, policy);
  return botSays(state, group, body, policy);
}

/** [P-7.4] A customer's message opens a closed chat again: unmuted, unless it was the customer who closed it. */
function customerSays(state: State, group: Group, body: Message): Decision {
  const { rules, at } = state;
  const isMuteOver = group.closed && group.closedBy !== 'customer' && group.mutedBy !== null;
  const mutedBy = isMuteOver ? null : group.mutedBy;
  const isNew = group.waitingSince === null;
  const opened = changed(group, {
    mutedBy,
    unread: group.unread + 1,
    closed: false,
    closedBy: null,
    botRun: 0,
    waitingSince: isNew ? at : group.waitingSince,
    waitingFor: isNew ? answering(mutedBy, rules, at) : group.waitingFor,
    turnedAt: isNew ? at : group.turnedAt,
  });
  if (!isMuteOver) return say(state, opened, body);
  // [P-12.1] Before the message nobody waits: the chat was closed.
  const unmuted: Event = { ...muteStatus(body, group.mutedBy ?? '', false, group), user: 'customer' };
  return say(state, opened, body, unmuted);
}

/** [P-7.3] An admin's message takes over from the bot; [P-7.4] it opens a closed chat. [P-12.1] It is the answer. */
function adminSays(state: State, group: Group, body: Message, adminId: string, policy: Policy): Decision {
  const { at, rules } = state;
  const conflict = otherThan(group, body.expectAssignee, 'expectAssignee');
  if (conflict) return conflict;
  const mutes = policy.autoMute && group.mutedBy === null;
  const takes = policy.autoAssign === true && group.assignee === null;
  const answered = changed(group, {
    mutedBy: mutes ? adminId : group.mutedBy,
    assignee: takes ? adminId : group.assignee,
    unread: 0,
    closed: false,
    closedBy: null,
    actedAt: at,
    botRun: 0,
    ...ANSWERED,
  });
  const before: Event[] = takes ? [assigned(body, adminId, 'answered', adminId)] : [];
  if (mutes) {
    const muted = turnedByMute(changed(group, { mutedBy: adminId }), rules, at);
    before.push(muteStatus(body, adminId, true, muted));
  }
  return say(state, answered, body, ...before);
}

/** [P-12.9] The refusal of a bot that goes on and on, alone or with another; null: it may go on. */
export function tooManyOfBots({ botRun }: Group, { maxBotRun }: Policy): Decision | null {
  if (maxBotRun === undefined || botRun < maxBotRun) return null;
  return refuse(
    'rate_limited',
    `bots have said ${botRun} messages here, and nobody else any: wait until somebody does`,
  );
}

/** [P-7.3, P-7.4] The bot speaks only while no human has taken over and the chat is open. */
function botSays(state: State, group: Group, body: Message, policy: Policy): Decision {
  if (group.closed) return refuse('group_closed', 'the chat is closed: a bot does not open it again');
  if (group.mutedBy !== null) return refuse('bot_muted', 'the bot is muted in this chat');
  const tooMany = tooManyOfBots(group, policy);
  if (tooMany) return tooMany;
  const rules = afterBot(state.rules, state.at);
  const said = changed(group, { botRun: group.botRun + 1, ...afterAnswer(group, body, state.at) });
  return say({ ...state, rules }, said, body);
}

/** [P-12.1] Changes of the wait: an answer to an earlier message leaves it, with a new time for the bot; a word after a hand-off leaves it as it is. */
function afterAnswer(group: Group, { replyTo }: Message, at: number): Partial<Group> {
  if ((group.marks & MARK.handedOff) !== 0) return {};
  // Where no bot has spoken since, the last message is the customer's who waits.
  const hasMore = replyTo !== undefined && group.botRun === 0 && replyTo < group.lastMessageSeq;
  if (!hasMore) return ANSWERED;
  return group.waitingFor === 'bot' ? { turnedAt: at } : {};
}

function say(state: State, group: Group, body: Message, ...before: Event[]): Decision {
  const { dealerId, groupId } = body;
  const said: Event = {
    type: 'CHAT_MSG',
    dealerId,
    groupId,
    ...author(body, 'bot'),
    muted: group.mutedBy !== null,
    unread: group.unread,
    ...carried(body),
    waiting: waitingOf(group),
  };
  return { events: [...before, said], state: { ...state, group: withDue(group, state.rules, state.at) } };
}
