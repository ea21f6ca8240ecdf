/** [P-12.8] A bot asks for a person. */
import { type Static, Type } from '@sinclair/typebox';
import { GroupId, Id, Plain } from '../kinds.ts';
import { plainText } from '../said.ts';
import { Waiting } from '../waiting.ts';
import { DESK_SCOPE, event } from './kind.ts';
import { inGroup } from './payload.ts';

const reason = Type.Optional(Plain(500));

export const Handoff = inGroup('HANDOFF', { reason });

/** [P-12.8] The conversation waits for an admin: its bot has asked for one. */
export const HandedOff = Type.Object({
  type: Type.Literal('HANDOFF'),
  dealerId: Id,
  groupId: GroupId,
  user: Type.Literal('bot'),
  reason,
  waiting: Waiting,
});

export const handedOff = event({
  payload: HandedOff,
  channel: 'CHAT_STATE',
  scope: DESK_SCOPE,
  stored: true,
  erased: { user: 'bot', waiting: null },
  summary: 'The bot asks for a person: the customer waits for an admin from then on.',
  inWords: (told: Static<typeof HandedOff>) =>
    `-- the bot asks for an agent${told.reason === undefined ? '' : `: ${plainText(told.reason)}`}`,
  accepts: {
    HANDOFF: { summary: 'Asks for a person.', by: { server: { event: Handoff } } },
  },
});
