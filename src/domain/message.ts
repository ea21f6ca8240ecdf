import type { Static } from '@sinclair/typebox';
import type { UpdateMsg } from '../../schemas/accepted.ts';
import type { Event } from '../../schemas/delivered.ts';
import { author } from './author.ts';
import { carried } from './carried.ts';
import { muteStatus } from './mute.ts';
import { changed, type Decision, type Group, groupOf, type Policy, refuse, type State } from './state.ts';

type Message = Static<typeof UpdateMsg>;

/** `UPDATE_MSG`: somebody says something [P-7.1]. */
export function message(state: State, body: Message, policy: Policy): Decision {
  const group = groupOf(state);
  if (body.user === 'customer') return customerSays(state, group, body);
  if (body.user === 'admin') return adminSays(state, group, body, body.adminId, policy);
  return botSays(state, group, body);
}

/** [P-7.4] A customer's message opens a closed chat again: unmuted, unless it was the customer who closed it. */
function customerSays(state: State, group: Group, body: Message): Decision {
  const opened = changed(group, { unread: group.unread + 1, closed: false, closedBy: null });
  const isMuteOver = group.closed && group.closedBy !== 'customer';
  if (!isMuteOver || group.mutedBy === null) return say(state, opened, body);
  const unmuted: Event = { ...muteStatus(body, group.mutedBy, false), user: 'customer' };
  return say(state, changed(opened, { mutedBy: null }), body, unmuted);
}

/** [P-7.3] An admin's message takes over from the bot; [P-7.4] it opens a closed chat. */
function adminSays(state: State, group: Group, body: Message, adminId: string, policy: Policy): Decision {
  const answered = changed(group, { unread: 0, closed: false, closedBy: null });
  if (!policy.autoMute || group.mutedBy !== null) return say(state, answered, body);
  return say(state, changed(answered, { mutedBy: adminId }), body, muteStatus(body, adminId, true));
}

/** [P-7.3, P-7.4] The bot speaks only while no human has taken over and the chat is open. */
function botSays(state: State, group: Group, body: Message): Decision {
  if (group.closed) return refuse('group_closed', 'the chat is closed: a bot does not open it again');
  if (group.mutedBy !== null) return refuse('bot_muted', 'the bot is muted in this chat');
  return say(state, group, body);
}

function say(state: State, group: Group, body: Message, ...before: Event[]): Decision {
  const { dealerId, groupId } = body;
  const muted = group.mutedBy !== null;
  const said: Event = {
    type: 'CHAT_MSG',
    dealerId,
    groupId,
    ...author(body, 'bot'),
    muted,
    unread: group.unread,
    ...carried(body),
  };
  return { events: [...before, said], state: { ...state, group } };
}
