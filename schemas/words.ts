/** Meaning of each role, field and code, in a sentence for every document. That of a type is in its definition. */
import type { CloseCode, ErrorCode } from './errors.ts';
import type { Role } from './kinds.ts';

/** [P-1] */
export const ROLES: Readonly<Record<Role, string>> = {
  customer: 'A chat widget, or any program in its place: one customer, one group.',
  admin: "A dealer's agent.",
  server: 'A bot, CRM or site backend, of one dealer or of all.',
};

/** Fields that mean the same wherever they are. */
export const FIELDS: Readonly<Record<string, string>> = {
  dealerId: 'the tenant',
  groupId: "the customer's conversation with the dealer",
  adminId: "the dealer's agent",
  online: 'whether they are here',
  muted: 'whether the bot is muted in this chat',
  unread: "how many of the customer's messages no admin has read yet",
  waiting: 'since when the customer waits for an answer, and whose; null: nobody waits',
  assignee: 'the admin whose conversation it is; null: nobody’s',
  close: 'always true',
  content: 'what is shown besides the text, which stays for those who cannot show it',
  replyTo: 'the seq of the message that it answers',
  value: 'of the choice that was taken, as the message that offered it had it',
  typing: 'whether they are typing',
  token: 'a JSON Web Token',
  since: 'the last seq seen of each scope, 0 for none: what came after it is sent again',
  id: "names the event: its sender's own, by which a repeat is known and an ack is asked for, or else a UUID",
  scope: "the log: a groupId, '@dealer' or '@desk'",
  seq: "the place in the scope's log, from 1, without gaps",
  at: 'when it was stored: RFC 3339, UTC, milliseconds',
  duplicate: 'whether this id was stored before',
  retryable: 'whether the same may succeed later, unchanged',
  limit: 'at most so many',
  cursor: 'the `next` of the page before',
  after: 'only what comes behind this seq',
  before: 'only what comes before this seq',
  next: 'the cursor of the next page; null on the last',
  setAside: 'the name under which a claimed conversation goes on',
  intent: 'buy, lease, test_drive, trade_in, finance, service, or any other word',
};

/** [P-9] When an error is met. */
export const MET: Readonly<Record<ErrorCode, string>> = {
  bad_frame: 'the frame is not an envelope',
  unknown_channel: 'nobody has that channel',
  invalid_payload: 'the payload breaks its rules; `details` say where',
  not_joined: 'the first frame must be a join',
  already_joined: 'a second join',
  unauthorized: 'no token where one is needed, a bad one, or one for something else',
  token_expired: 'the token was good, and its time is over',
  forbidden: "not this role's, or not this session's",
  unknown_dealer: 'there is no such dealer, or it is not to be seen with this token',
  unknown_group: 'there is no such group, or it is not to be seen with this token',
  unknown_intent: 'the group has no such intent: create it first',
  bot_muted: 'the bot is muted in this chat',
  group_closed: 'the chat is closed, and the bot does not open it',
  conflict: 'the conversation is no longer whose the sender expected',
  too_large: 'the merged record is too large, or too many chats are open; over HTTP the body or an event',
  rate_limited: 'too many frames or requests: wait a moment',
  unavailable: 'the database is away, or the server is shutting down',
  internal: "a fault of the server's",
  unknown_route: 'there is no such path, or nothing there',
  not_acceptable: 'it is not available in the format that `Accept` asks for; `details` say what is missing',
  upgrade_required: 'this is a WebSocket endpoint',
  unsupported_media_type: 'the body is not JSON',
};

/** [P-9] When a socket is closed with a code. */
export const CLOSED: Readonly<Record<CloseCode, string>> = {
  1001: 'going away: rejoin with `since`',
  1003: 'a binary frame',
  1009: 'the frame is too large',
  1012: 'service restart: rejoin with `since`',
  1013: 'this node is full: try again later',
  4400: 'too many bad frames',
  4401: 'the token is bad, or has expired',
  4403: 'the origin is not allowed, or the conversation was erased',
  4404: 'there is no such dealer',
  4408: 'no join in time',
  4429: 'too many frames',
  4508: 'slow consumer: rejoin with `since`',
};
