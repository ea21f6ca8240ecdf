/** Commands by chance, as doors hand them on: checked, their identity filled in. */
import fc from 'fast-check';
import type { Command } from '../../src/domain/state.ts';

type Body = Command['body'];

/** d1 and its g1 are there from the beginning; d2 and other groups only once somebody makes them. */
const dealerId = fc.constantFrom(...Array<'d1'>(15).fill('d1'), 'd2');
const groupId = fc.constantFrom('g1', 'g1', 'g1', 'g2');
const adminId = fc.constantFrom('a1', 'a2');
const online = fc.boolean();
/** Two, so that somebody may be here by both. */
const node = fc.constantFrom('n1', 'n2');
/** Few, so that they are used again; null, so that many have none. */
const key = fc.constantFrom(null, null, null, null, 'k1', 'k2', 'k3', 'k4');
const text = fc.constantFrom('Hello', '😀 \ud800 \0 "', 'x');
const at = { dealerId, groupId };
const is = <const Word extends string>(word: Word) => fc.constant(word);

/** A small record, as JSON can say it: nested, with nulls, and with names that objects have meanings for. */
const fieldName = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor');
const leaf = fc.oneof(fc.constant(null), fc.integer(), fc.boolean(), text, fc.array(fc.constantFrom(null, 1, {})));
const record = (depth: number): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .array(fc.tuple(fieldName, depth === 0 ? leaf : fc.oneof(leaf, record(depth - 1))), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries));

/** Any record that an update may bring. */
export const anyRecord = record(2);
const intent = fc
  .tuple(fc.constantFrom('buy', 'lease'), anyRecord)
  .map(([word, fields]) => ({ ...fields, intent: word }));

/** Records go through JSON on their way, so that `__proto__` in them is a field of its own. */
const parsed = <T>(value: T): T => JSON.parse(JSON.stringify(value));

const entry = fc.constantFrom(
  null,
  { by: 'claim', id: undefined, at: 0, isHere: false } as const,
  { by: 'kept' } as const,
);

const bodies = {
  customerSays: fc.record({ type: is('UPDATE_MSG'), ...at, user: is('customer'), message: text }),
  adminSays: fc.record({
    type: is('UPDATE_MSG'),
    ...at,
    user: is('admin'),
    adminId,
    message: text,
  }),
  botSays: fc.record({ type: is('UPDATE_MSG'), ...at, user: is('bot'), message: text }),
  mute: fc.record({ type: is('MUTE_BOT'), ...at, adminId }),
  unmute: fc.record({ type: is('UNMUTE_BOT'), ...at, adminId }),
  customerCloses: fc.record({ type: is('CLOSE_CHAT'), ...at, user: is('customer') }),
  adminCloses: fc.record({ type: is('CLOSE_CHAT'), ...at, user: is('admin'), adminId }),
  adminReads: fc.record({
    type: is('READ'),
    ...at,
    user: is('admin'),
    adminId,
    seq: fc.integer({ min: 1, max: 12 }),
  }),
  customerReads: fc.record({
    type: is('READ'),
    ...at,
    user: is('customer'),
    seq: fc.integer({ min: 1, max: 12 }),
  }),
  types: fc.record({ type: is('TYPING'), ...at, user: is('customer'), typing: online }),
  announces: fc.record({ type: is('SYS_MSG'), dealerId, adminId, message: text }),
  customerJoins: fc.record({ type: is('CLIENT_JOIN'), ...at, online, node, entry }),
  adminJoins: fc.record({ type: is('ADMIN_JOIN'), dealerId, adminId, online, node }),
  opens: fc.record({ type: is('UPDATE_CHAT'), ...at, user: is('admin'), adminId, online }),
  deskIsSaid: fc.record({ type: is('UPDATE_CHAT'), dealerId, user: is('admin'), adminId, online }),
  customerIsSaid: fc.record({ type: is('UPDATE_CHAT'), ...at, user: is('customer'), online }),
  groupIsSaid: fc.record({ type: is('UPDATE_GROUP'), ...at, online }),
  user: fc.record({ type: is('UPDATE_USER'), ...at, message: anyRecord }).map(parsed),
  lead: fc.record({ type: is('UPDATE_LEAD'), ...at, message: anyRecord }).map(parsed),
  pageview: fc.record({ type: is('UPDATE_PAGEVIEW'), ...at, message: anyRecord }).map(parsed),
  creates: fc.record({ type: is('CREATE_LEAD_INTENT'), ...at, message: intent }).map(parsed),
  intends: fc.record({ type: is('UPDATE_LEAD_INTENT'), ...at, message: intent }).map(parsed),
  erases: fc.record({ type: is('ERASE_GROUP'), ...at, erasureId: fc.uuid(), reason: is('request') }),
};

function from<B extends Body>(role: Command['role'], body: fc.Arbitrary<B>, name: (body: B) => string) {
  return fc.tuple(body, key).map(([body, key]): Command => ({ role, sender: `${role}:${name(body)}`, key, body }));
}
const unkeyed = (command: Command): Command => ({ ...command, key: null });

const byCustomer = <B extends Body>(body: fc.Arbitrary<B>) =>
  from('customer', body, (body) => ('groupId' in body ? String(body.groupId) : ''));
const byAdmin = <B extends Body>(body: fc.Arbitrary<B>) =>
  from('admin', body, (body) => ('adminId' in body ? String(body.adminId) : 'a1'));
const byServer = <B extends Body>(body: fc.Arbitrary<B>) => from('server', body, () => 'crm');

const b = bodies;
const records = fc.oneof(b.user, b.lead, b.creates, b.intends);
const chat = fc.oneof(b.adminSays, b.mute, b.unmute, b.adminCloses);

/** Any command that some door could hand on. */
export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: byCustomer(b.customerSays) },
  { weight: 5, arbitrary: byServer(b.botSays) },
  { weight: 5, arbitrary: byAdmin(chat) },
  { weight: 2, arbitrary: byCustomer(fc.oneof(b.customerCloses, b.customerReads, b.types, records, b.pageview)) },
  { weight: 3, arbitrary: byAdmin(fc.oneof(b.adminReads, b.opens, b.announces, records)) },
  { weight: 3, arbitrary: byCustomer(b.customerJoins).map(unkeyed) },
  { weight: 2, arbitrary: byAdmin(b.adminJoins).map(unkeyed) },
  {
    weight: 4,
    arbitrary: byServer(
      fc.oneof(
        b.customerSays,
        chat,
        b.customerCloses,
        b.types,
        b.announces,
        b.opens,
        b.deskIsSaid,
        b.customerIsSaid,
        b.groupIsSaid,
        records,
        b.pageview,
      ),
    ),
  },
);

export const anyCommands = fc.array(anyCommand, { maxLength: 60, size: 'max' });
/** That a conversation be forgotten. */
export const anyErasure: fc.Arbitrary<Command> = fc.oneof(byAdmin(b.erases), byServer(b.erases)).map(unkeyed);

/** Commands of which some erase conversations. */
export const anyForgettingCommands = fc.array(
  fc.oneof({ weight: 8, arbitrary: anyCommand }, { weight: 1, arbitrary: anyErasure }),
  { maxLength: 60, size: 'max' },
);
/** Sizes of batches, to be taken over and over. */
export const anySizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
