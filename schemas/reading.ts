/** [P-11.3, P-11.4] Queries and answers of reading over HTTP. */
import { type Static, Type } from '@sinclair/typebox';
import { ChatMsg } from './events/chat-message.ts';
import { GroupId, Id, IdOrNull, Instant, Key, OneOf, User } from './kinds.ts';
import { listOf, MAX_LIMIT, Paging } from './lists.ts';
import { Waiting } from './waiting.ts';

const yesOrNo = (description: string) => Type.Optional(Type.Boolean({ description }));

/** Which groups: each that is given must hold. */
export const GroupFilter = Type.Object({
  open: yesOrNo('not closed, or closed'),
  muted: yesOrNo('whether a person has taken over from the bot'),
  online: yesOrNo('whether the customer is here'),
  unread: yesOrNo('whether any message of the customer waits to be read'),
  waiting: Type.Optional(
    OneOf(['bot', 'admin', 'any', 'none'], { description: 'whose it is to answer, anybody’s, or nobody’s' }),
  ),
  overdue: yesOrNo('whether the answer that is waited for is overdue'),
  assignee: Type.Optional(Type.String({ maxLength: 64, description: 'the adminId of the one whose it is, or none' })),
  order: Type.Optional(OneOf(['waiting'], { description: 'those alone that wait for an answer, the longest first' })),
});
export type GroupFilter = Static<typeof GroupFilter>;

const NAME = '[A-Za-z0-9._:-][A-Za-z0-9._:@-]{0,63}';
/** The most conversations that one request names. */
export const MAX_NAMED = 50;
const groupId = Type.Optional(
  Type.String({
    pattern: `^${NAME}(,${NAME}){0,${MAX_NAMED - 1}}$`,
    description: `a groupId, or up to ${MAX_NAMED} of them with commas between`,
  }),
);
/** The conversations that a request names. */
export const namesIn = (groupIds: string): string[] => groupIds.split(',');

export const GroupsQuery = Type.Composite([Type.Object({ ...Paging, groupId }), GroupFilter]);

const count = Type.Integer({ minimum: 0 });
const times = { createdAt: Instant, updatedAt: Instant };

/** Last message, without the fields that the group itself has. */
const LAST_SAID = Type.Omit(ChatMsg, ['type', 'dealerId', 'groupId', 'muted', 'unread', 'waiting']);

/** A group as it stands. */
export const GroupItem = Type.Object(
  {
    dealerId: Id,
    groupId: GroupId,
    online: Type.Boolean(),
    muted: Type.Boolean(),
    mutedBy: Type.Optional(Id),
    closed: Type.Boolean(),
    unread: count,
    seq: Type.Integer({ minimum: 0, description: 'the last of its scope' }),
    lastMessage: Type.Union([Type.Object({ seq: count, at: Instant, ...LAST_SAID.properties }), Type.Null()]),
    adminRead: Type.Integer({ minimum: 0, description: 'the seq up to which an admin has read' }),
    customerRead: Type.Integer({ minimum: 0, description: 'the seq up to which the customer has read' }),
    admins: Type.Array(Id, { description: 'who of the dealer has it open' }),
    waiting: Waiting,
    assignee: IdOrNull,
    readByMe: Type.Optional(
      Type.Integer({ minimum: 0, description: 'the seq up to which the admin whose token it is has read' }),
    ),
    setAside: Type.Optional(
      Type.Literal(true, { description: "it had claimed a name that is now that of a dealer's own customer" }),
    ),
    ...times,
  },
  { description: 'A conversation as it stands.' },
);

const Fields = Type.Unsafe<Readonly<Record<string, unknown>>>(Type.Object({}, { additionalProperties: true }));

/** [P-6.5] Fields of a record, and whose word each is. */
const known = {
  fields: Fields,
  customer: Type.Optional(
    Type.Unsafe<Readonly<Record<string, unknown>>>(
      Type.Object(
        {},
        {
          additionalProperties: true,
          description:
            "what the customer said and the dealer has not said since: the customer's word, where fields has the same",
        },
      ),
    ),
  ),
};

/** A group's one user. */
export const RecordItem = Type.Object(
  { dealerId: Id, groupId: GroupId, ...known, ...times },
  { description: 'What is known of a customer, merged.' },
);
/** [P-11.3] A group's one lead. */
export const LeadItem = Type.Object(
  {
    dealerId: Id,
    groupId: GroupId,
    ...known,
    sameAs: Type.Optional(
      Type.Array(GroupId, { description: 'other groups whose leads have the same e-mail or phone: 20 at most' }),
    ),
    ...times,
  },
  { description: 'What is known of a lead, merged.' },
);
/** One of a group's intents. */
export const IntentItem = Type.Object(
  {
    dealerId: Id,
    groupId: GroupId,
    intent: Type.String(),
    ...known,
    ...times,
  },
  { description: 'Something that a customer wants.' },
);

/** Records: of some groups alone, where they are named. CSV has all of them where no `limit` is given. */
export const RecordsQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIMIT })),
  cursor: Paging.cursor,
  groupId,
});

export const PageviewsQuery = Type.Object({ ...Paging, groupId: Type.Optional(GroupId) });
export const PageviewItem = Type.Object(
  {
    dealerId: Id,
    groupId: GroupId,
    seq: Type.Integer({ minimum: 1, description: 'its place in @desk' }),
    id: Key,
    at: Instant,
    fields: Fields,
  },
  { description: 'A page that a customer looked at.' },
);

/** [P-17.1] */
export const SearchQuery = Type.Object({
  q: Type.String({ minLength: 1, maxLength: 200 }),
  limit: Type.Integer({ minimum: 1, maximum: MAX_NAMED, default: 20 }),
  cursor: Paging.cursor,
});
export const SearchItem = Type.Object(
  {
    dealerId: Id,
    groupId: GroupId,
    scope: Type.String({ description: 'where it is: the conversation itself, or @desk' }),
    seq: Type.Optional(Type.Integer({ minimum: 1, description: 'of a message' })),
    at: Instant,
    field: OneOf(['message', 'name', 'email', 'phone', 'vin', 'stock']),
    snippet: Type.String({ description: 'the part of it in which it is found' }),
  },
  { description: 'A conversation that was found, and by what.' },
);

/** Receipt of an erased conversation, and how much of it there was. It names nobody. */
export const ErasureReceipt = Type.Object(
  {
    dealerId: Id,
    erasureId: Type.String(),
    reason: Type.Union([Type.Literal('request'), Type.Literal('retention')]),
    by: Type.Union([Type.String(), Type.Null()], {
      description: 'Who asked for it: a role and the sub of its token. Null: an older version did not note it.',
    }),
    events: count,
    pageviews: count,
    users: count,
    leads: count,
    intents: count,
    at: Instant,
  },
  { description: 'That a conversation was erased, and how much of it there was.' },
);

/** One event of a group's scope, without the ids that all of them share. */
export const TranscriptLine = Type.Object(
  {
    seq: Type.Integer({ minimum: 1 }),
    at: Instant,
    type: Type.String(),
    user: Type.Optional(User),
    adminId: Type.Optional(Id),
    message: Type.Optional(Type.String()),
    ...Type.Pick(ChatMsg, ['content', 'replyTo', 'value']).properties,
    muted: Type.Optional(Type.Boolean()),
    unread: Type.Optional(count),
    online: Type.Optional(Type.Boolean()),
    close: Type.Optional(Type.Boolean()),
  },
  { description: 'One event of a conversation.' },
);
export const Transcript = Type.Object(
  { dealerId: Id, groupId: GroupId, lines: Type.Array(TranscriptLine) },
  { description: 'What was said in a conversation, and who came and went.' },
);

export const GroupList = listOf(GroupItem, 'A page of conversations, those first in which something happened last.');
export const RecordList = listOf(RecordItem, 'A page of records, the newest first.');
export const LeadList = listOf(LeadItem, 'A page of leads, the newest first.');
export const IntentList = listOf(IntentItem, 'A page of intents, the newest first.');
export const PageviewList = listOf(PageviewItem, 'A page of page views, the last first.');
export const SearchList = listOf(SearchItem, 'A page of what was found.');
export const ErasureList = listOf(ErasureReceipt, 'A page of receipts, the last first.');
