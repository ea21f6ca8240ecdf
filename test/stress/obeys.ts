/** What one who obeys every rule may take of a server: a table of attacks, and what bounds each of them. */
import { Guest } from './guest.ts';
import { type Endpoint, range } from './house.ts';
import { MIB, obeying } from './obeying.ts';
import type { Scenarios } from './scenario.ts';

/** Budgets that take minutes or a day by default, scaled down: they are reached in seconds. */
const BUDGETS: Readonly<Record<string, string>> = {
  // A server that floods is a flood to its end.
  MAX_BOT_MESSAGES: '1000000',
  JOIN_TIMEOUT: '2s',
  MAX_CONNECTIONS_PER_ADDRESS: '300',
  MAX_HANDSHAKES_PER_ADDRESS: '600',
  MAX_CLAIMS_PER_ADDRESS: '150',
  MAX_CLAIMS_PER_DEALER: '150',
  MAX_REFUSALS_PER_ADDRESS: '100',
  MAX_BYTES_PER_ADDRESS: String(16 * MIB),
  MAX_BYTES_PER_DEALER: String(32 * MIB),
};
const TIMINGS: Readonly<Record<string, number>> = {
  closeTimeout: 500,
  replayTimeout: 2000,
  stallTimeout: 1500,
};

const attack = obeying({ settings: BUDGETS, timing: TIMINGS, heap: 512 });

/** The longest message, and as many of them as a join recovers [P-3.6]. */
const LONGEST = '\u{1F697}'.repeat(4000);
const LOG = 500;

const ADF = 'application/x-adf+xml';
/** What a lead must say for a document of it. */
const LEAD = { name: 'Ann', phone: '1', vehicle: { year: 2024, make: 'VW', model: 'Golf' } };

const event = (type: string, groupId: string, message: unknown) => ({ type, groupId, message });
const says = (groupId: string, message: string) => ({ ...event('UPDATE_MSG', groupId, message), user: 'customer' });
const groupsOf = (count: number) => range(count).map((n) => `g${n}`);

const oneMessage = (dealer: Endpoint) => dealer.post([says('g0', 'Hello')]);

/** Groups of long logs. */
const longLogs = (groups: readonly string[], length: number) => async (dealer: Endpoint) => {
  for (const groupId of groups) await dealer.post(range(length).map(() => says(groupId, LONGEST)));
};

/** Records as large as may be: of as many fields as are taken, and else of long ones. What is refused is not in them. */
const heavyRecords = (groups: readonly string[]) => async (dealer: Endpoint) => {
  const fields = (prefix: string, count: number, text: string) =>
    Object.fromEntries(range(count).map((n) => [`${prefix}${n}`, text]));
  const many = range(7).map((part) => fields(`${part}_`, 640, 'xx'));
  const long = range(7).map((part) => fields(`l${part}_`, 27, 'x'.repeat(280)));
  for (const update of [...many, ...long]) {
    await dealer.post(groups.map((groupId) => event('UPDATE_LEAD', groupId, update)));
  }
};

/** One customer who wants as much as it may. */
const manyIntents = async (dealer: Endpoint) => {
  await dealer.post([event('UPDATE_LEAD', 'g0', LEAD)]);
  const vehicle = (n: number) => ({ year: 1900 + (n % 100), make: 'VW', model: `Golf ${n}` });
  const intent = (n: number) => ({ intent: `buy ${n}`, vehicle: vehicle(n) });
  await dealer.post(range(4000).map((n) => event('CREATE_LEAD_INTENT', 'g0', intent(n))));
};

/** A dealer that has grown: conversations, leads, and one log that is long. */
const largeDesk = async (dealer: Endpoint) => {
  await longLogs(['g0'], LOG)(dealer);
  const groups = range(1000, 1).map((n) => `g${n}`);
  await dealer.post(groups.map((groupId) => says(groupId, 'Is the blue one still there?')));
  await dealer.post(groups.map((groupId) => event('UPDATE_LEAD', groupId, { ...LEAD, comments: 'x'.repeat(2000) })));
  await dealer.post(groups.map((groupId) => event('CREATE_LEAD_INTENT', groupId, { intent: 'buy', ...LEAD })));
};

/** What costs a server most of what an agent may read. */
const DEAREST = [
  { path: '/groups?open=true&unread=true&online=false&limit=200' },
  { path: '/scopes/g0/events?limit=200' },
  { path: '/scopes/@desk/events?limit=200' },
  { path: '/groups/g0/transcript' },
  { path: '/export' },
  { path: '/leads', accept: 'text/csv' },
  { path: '/leads?limit=200', accept: ADF },
  { path: '/lead-intents?limit=200', accept: ADF },
];

export const obeys: Scenarios = {
  /** Five customers ask for their own logs as often as they may, and read nothing of the answers. */
  'obeys-pipelined-reading': attack({
    act: 'pipelinedReading',
    time: 3000,
    groups: groupsOf(5),
    prepare: longLogs(groupsOf(5), 200),
    memory: 64 * MIB,
  }),

  /** Sixty sockets ask for all that they missed, and take nothing of it. */
  'obeys-silent-recovery': attack({
    act: 'silentRecovery',
    time: 4000,
    groups: groupsOf(3),
    prepare: longLogs(groupsOf(3), LOG),
    memory: 64 * MIB,
    check: (ledger, { left = 0 }) => ledger.equal(left, 0, 'sockets that are still open'),
  }),

  /** Sixty customers change one field of the largest record that there may be, as often as they may. */
  'obeys-heavy-records': attack({
    act: 'tinyUpdates',
    time: 4000,
    groups: groupsOf(60),
    prepare: heavyRecords(groupsOf(60)),
    memory: 64 * MIB,
  }),

  /** A customer wants as much as it may, and an agent takes that out as often as it may. */
  'obeys-intents': attack({
    act: 'polling',
    time: 3000,
    asks: [
      { path: '/lead-intents?limit=200', accept: ADF },
      { path: '/leads', accept: ADF },
    ],
    prepare: manyIntents,
    memory: 64 * MIB,
  }),

  /** Fifty strangers of one address write what is longest, as often as they may. */
  'obeys-writing': attack({ act: 'writing', time: 4000, memory: 64 * MIB, disk: 48 * MIB }),

  /** A hundred sockets come to one group, and all that may stay talk. */
  'obeys-one-group': attack({
    act: 'oneGroup',
    time: 3000,
    groups: ['g0'],
    prepare: oneMessage,
    memory: 64 * MIB,
    check: (ledger, { joined = 0, sent = 1, received = 0 }) => {
      ledger.that(joined <= 20, `sockets of one group: ${joined}`);
      ledger.that(received / sent <= 60, `bytes that come of one: ${(received / sent).toFixed(0)}`);
    },
  }),

  /** A server begins sixty of the largest bodies, and ends none. */
  'obeys-half-bodies': attack({ act: 'halfBodies', time: 3000, memory: 96 * MIB }),

  /** An agent asks for what costs most, reads slowly, and works without a pause meanwhile. */
  'obeys-agent': attack({
    act: 'wholeDesk',
    time: 4000,
    groups: ['g0'],
    asks: DEAREST,
    prepare: largeDesk,
    memory: 96 * MIB,
    wait: 500,
  }),

  /** A dealer's server, which has no rate, sends and posts as fast as it is taken. */
  'obeys-server': attack({ act: 'wholeServer', time: 3000, memory: 128 * MIB }),

  /** One address uses up all connections, handshakes, claims and refusals that it has. */
  'obeys-address': attack({ act: 'everything', time: 3000, memory: 64 * MIB }),

  /** One address claims a name that is taken, over and over: what makes nothing uses up nothing of the dealer's. */
  'obeys-taken-names': attack({
    act: 'takenNames',
    time: 0,
    groups: ['g0'],
    prepare: oneMessage,
    memory: 64 * MIB,
    check: async (ledger, _, dealer) => {
      const visitor = await Guest.dial(dealer.at, '127.0.0.4');
      const { code } = await visitor.ask('client_join', { type: 'CLIENT_JOIN', dealerId: dealer.dealerId });
      ledger.equal(code, undefined, "an honest visitor's claim");
      await visitor.cut();
    },
  }),
};
