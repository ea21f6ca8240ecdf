/** [P-7.1] A message of the chat. */
import { type Static, type TProperties, Type } from '@sinclair/typebox';
import { Content, linesOf } from '../content.ts';
import { GroupId, Id, IdOrNull, Seq, Text, text, User } from '../kinds.ts';
import { nameOf, plainText } from '../said.ts';
import { Waiting } from '../waiting.ts';
import { event } from './kind.ts';
import { adminId, adminIsNamed, type Base, inGroup, NOT_BELIEVED, narrowed, notBelieved } from './payload.ts';

/** [P-18.1] Fields besides the text: a bot or an admin shows something, a customer answers it. */
const shown = { content: Type.Optional(Content) };
/** [P-12.4] */
const expecting = { expectAssignee: Type.Optional(IdOrNull) };
const answer = { replyTo: Type.Optional(Seq), value: Type.Optional(text(1000)) };

const said = { adminId, user: User, ...notBelieved, message: Text };
const saying = <Fields extends TProperties>(fields: Fields) =>
  inGroup('UPDATE_MSG', { ...said, ...fields }, { allOf: [adminIsNamed] });
type ByWhom = { user: 'admin'; adminId: string } | { user: 'customer' | 'bot' };

const updateMsg = saying({ ...shown, ...answer, ...expecting });
/** From other servers, which speak for everybody. */
export const UpdateMsg = narrowed<Base<typeof updateMsg> & ByWhom>(updateMsg);

const customerMsg = saying(answer);
/** From a customer's socket: it shows nothing to those who answer it. */
export const CustomerMsg = narrowed<Base<typeof customerMsg> & ByWhom>(customerMsg);

const adminMsg = saying({ ...shown, ...expecting });
/** From an admin's socket. */
export const AdminMsg = narrowed<Base<typeof adminMsg> & ByWhom>(adminMsg);

/** [P-7.1] */
export const ChatMsg = Type.Object({
  type: Type.Literal('CHAT_MSG'),
  dealerId: Id,
  groupId: GroupId,
  adminId: Type.Optional(Id),
  user: User,
  muted: Type.Boolean(),
  unread: Type.Integer({ minimum: 0 }),
  message: Text,
  ...shown,
  ...answer,
  waiting: Type.Optional(Waiting),
});

export const chatMessage = event({
  payload: ChatMsg,
  channel: 'CHAT_MESSAGE',
  scope: 'group',
  stored: true,
  summary: 'Somebody said something in the chat.',
  inWords: (said: Static<typeof ChatMsg>) =>
    `${nameOf(said)}: ${plainText([said.message, ...(said.content ? linesOf(said.content) : [])].join('\n'))}`,
  accepts: {
    UPDATE_MSG: {
      summary: 'Says something in the chat.',
      by: {
        customer: { customer_message: CustomerMsg },
        admin: { admin_message: AdminMsg },
        server: { event: UpdateMsg },
      },
      drops: [...NOT_BELIEVED, 'expectAssignee'],
    },
  },
});
