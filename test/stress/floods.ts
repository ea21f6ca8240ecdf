/** Floods from one address: its limits hold, and honest users on other addresses do not notice. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Target } from '../support/target.ts';
import type { Attack, Ends } from './attacker.ts';
import { Endpoint, range } from './house.ts';
import { bearable, isBearable, Pace, type Waited } from './pace.ts';
import type { Ledger, Scenario, Scenarios } from './scenario.ts';

const MIB = 1024 * 1024;
const HONEST = '127.0.0.2';
/** What both servers are run with: less than the defaults where a flood of the default's size would take long. */
const SETTINGS = {
  JOIN_TIMEOUT: '1s',
  MAX_CONNECTIONS: '500',
  MAX_CONNECTIONS_PER_ADDRESS: '100',
  MAX_CLAIMS_PER_ADDRESS: '60',
  MAX_CLAIMS_PER_DEALER: '210',
  MAX_REFUSALS_PER_ADDRESS: '60',
};
/** How many honest users talk, and how long between their messages, in ms: within the rate that each may have. */
const USERS = 25;
const PAUSE = 110;
/** How long the attacker holds what the server lets it hold, in ms: whatever is left then should have been ended. */
const HOLD = 8000;
/** How often waits are measured before they count as long; after this many ms, not again. */
const TURNS = 3;
const LONG = 12_000;
const TIMING = { presenceGrace: 50, closeTimeout: 500, requestTimeout: 1500 };

/** One who means harm, in a process of its own. */
async function findAttacker(): Promise<(order: Attack) => Promise<Ends>> {
  const script = fileURLToPath(new URL('attacker.ts', import.meta.url));
  const child = fork(script, { execArgv: ['--import', import.meta.resolve('tsx')] });
  await once(child, 'message');
  return async (order) => {
    child.send(order);
    const [ends] = await once(child, 'message');
    return ends;
  };
}

/** Honest users of a server, who have joined it. */
async function honest({ at }: Target) {
  const endpoint = new Endpoint(at, { from: HONEST });
  const users = await Promise.all(range(USERS).map((n) => endpoint.customer(`honest${n}`)));
  return { endpoint, pace: new Pace(users, PAUSE) };
}

/** Two servers, with honest users on both, one of which is flooded: what users of the other wait is the machine's doing. */
async function prepare() {
  const options = { settings: SETTINGS, timing: TIMING };
  const [flooded, quiet] = await Promise.all([Target.start(options), Target.start(options)]);
  const [here, elsewhere, attack] = await Promise.all([honest(flooded), honest(quiet), findAttacker()]);
  const close = () => Promise.all([flooded.stop(), quiet.stop()]);
  return { flooded, here, elsewhere, attack, close };
}

/** Made once for all floods: each comes from addresses of its own. They end with this process. */
let arena: ReturnType<typeof prepare> | undefined;

interface Waits {
  readonly quiet: Waited;
  readonly busy: Waited;
}

interface Flood extends Omit<Attack, 'at' | 'hold'> {
  /** Judges what became of the attack. */
  readonly check: (ledger: Ledger, ends: Ends) => void;
}

/** How many ended as one of these. */
const sumOf = (ends: Ends, ...kinds: string[]): number => kinds.reduce((sum, kind) => sum + (ends[kind] ?? 0), 0);

/** Runs a flood once. @returns how long honest users of both servers waited */
async function run({ check, ...order }: Flood, ledger: Ledger): Promise<Waits> {
  arena ??= prepare();
  const { flooded, here, elsewhere, attack } = await arena;
  const before = await flooded.measure();
  const attacking = attack({ ...order, hold: HOLD, at: flooded.at });
  let isOver = false;
  attacking.then(() => {
    isOver = true;
  });
  // Whoever comes meanwhile from elsewhere is let in.
  const comeAndGo = async () => {
    while (!isOver) {
      const guest = await here.endpoint.customer('newcomer');
      ledger.count(1);
      await guest.cut();
      await Promise.race([attacking, new Promise((resolve) => setTimeout(resolve, 200))]);
    }
  };
  const [quiet, busy] = await Promise.all([elsewhere.pace.during(() => attacking), here.pace.during(comeAndGo)]);
  const ends = await attacking;
  ledger.count(order.count);
  ledger.notes.push(`how the ${order.count} tries ended: ${JSON.stringify(ends)}`);
  check(ledger, ends);
  const after = await flooded.measure();
  ledger.that(after.used - before.used < 8 * MIB, `memory is back: ${(after.used - before.used) / MIB} MiB more`);
  ledger.that(after.files <= before.files + 5, `files are closed: ${before.files} before, ${after.files} now`);
  ledger.equal(after.faults, [], 'faults');
  return { quiet, busy };
}

/** What a flood does to others it does each time: waits are measured again where they were long. */
const flood =
  (what: Flood): Scenario =>
  async ({ ledger }) => {
    const began = performance.now();
    for (let turn = 1; ; turn += 1) {
      const { quiet, busy } = await run(what, ledger);
      const isLast = turn === TURNS || performance.now() - began > LONG;
      if (isLast || isBearable(quiet, busy)) {
        bearable(ledger, quiet, busy);
        return;
      }
      // What the address may do in a minute, it has done: with new servers, it may again.
      await (await arena)?.close();
      arena = undefined;
    }
  };

export const floods: Scenarios = {
  /** More connections than the node has room for, none of which joins. */
  'flood-of-strangers': flood({
    kind: 'strangers',
    from: ['127.0.0.3'],
    count: 800,
    perSecond: 1000,
    check: (ledger, ends) => {
      ledger.equal(sumOf(ends, 'left'), 0, 'connections that lasted');
      ledger.that(sumOf(ends, '4408') <= 200, `at most 100 at a time of that address: ${JSON.stringify(ends)}`);
      ledger.that(sumOf(ends, '4408') >= 100, `what is within the limit is let in: ${JSON.stringify(ends)}`);
    },
  }),

  /** Connections that say nothing, or their request byte by byte, or its body so. */
  'flood-of-half-open-requests': flood({
    kind: 'halfOpen',
    from: ['127.0.0.4', '127.0.0.5', '127.0.0.6', '127.0.0.7'],
    count: 300,
    perSecond: 600,
    check: (ledger, ends) => ledger.equal(ends, { cut: 300 }, 'all are cut in time'),
  }),

  /** Joins with tokens that are none. */
  'flood-of-bad-tokens': flood({
    kind: 'badTokens',
    from: ['127.0.0.8'],
    count: 500,
    perSecond: 400,
    check: (ledger, ends) => {
      ledger.equal(sumOf(ends, 'joined', 'left'), 0, 'joined, or left open');
      const looked = sumOf(ends, 'unauthorized');
      ledger.that(looked >= 60 && looked < 80, `60 are looked at, and few that were under way: ${looked}`);
      ledger.equal(looked + sumOf(ends, 'http 429', 'rate_limited'), 500, 'looked at, or turned away before');
    },
  }),

  /** A hundred groups a second are claimed from one address. */
  'flood-of-claims': flood({
    kind: 'claims',
    from: ['127.0.0.11'],
    count: 200,
    perSecond: 100,
    check: (ledger, ends) => ledger.equal(ends, { joined: 60, rate_limited: 140 }, 'claims'),
  }),

  /** The same from many addresses at once: what a dealer may be claimed of is limited, too. */
  'flood-of-claims-from-everywhere': flood({
    kind: 'claims',
    from: range(40, 1).map((n) => `127.0.1.${n}`),
    count: 300,
    perSecond: 200,
    check: (ledger, ends) => {
      // Those that one address has had before count, too.
      const joined = sumOf(ends, 'joined');
      ledger.that(joined >= 150 && joined <= 210, `150 claims, and 60 where none was made before: ${joined}`);
      ledger.equal(sumOf(ends, 'rate_limited'), 300 - joined, 'claims that were refused');
    },
  }),
  /** Frames as large as may be, and larger. */
  'flood-of-big-frames': flood({
    kind: 'bigFrames',
    from: ['127.0.0.9'],
    count: 20,
    perSecond: 20,
    check: (ledger, ends) => {
      // Who is busy sending may miss the word with which it is closed.
      ledger.equal(sumOf(ends, '1009', '4400', '4408', '4429', 'cut'), 20, 'sockets that were closed');
      ledger.that(sumOf(ends, 'cut') < 10, 'most of them are told why');
    },
  }),

  /** Pings of the WebSocket protocol itself, whose pongs are read or not. */
  'flood-of-pings': flood({
    kind: 'pings',
    from: ['127.0.0.10'],
    count: 20,
    perSecond: 40,
    check: (ledger, ends) => {
      ledger.that(sumOf(ends, '4429') >= 10, 'who waits for the pongs is told');
      ledger.equal(sumOf(ends, '4429', 'cut'), 20, 'told, or cut for not reading');
    },
  }),
};
