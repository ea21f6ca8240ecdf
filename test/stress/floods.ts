/** Floods from one address: its limits hold, and honest users on other addresses do not notice. */
import { ALL_DEALERS } from '../../schemas/table.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { SECRET } from '../support/server.ts';
import { Target } from '../support/target.ts';
import type { Attack, Ends } from './attacker.ts';
import { bystanders, findAttacker, sleep } from './bystanders.ts';
import { range } from './house.ts';
import { bearable, isBearable, type Waited } from './pace.ts';
import type { Ledger, Scenario, Scenarios } from './scenario.ts';

const MIB = 1024 * 1024;
/** What both servers are run with: less than the defaults where a flood of the default's size would take long. */
const SETTINGS = {
  JOIN_TIMEOUT: '1s',
  MAX_CONNECTIONS: '500',
  MAX_CONNECTIONS_PER_ADDRESS: '100',
  MAX_CLAIMS_PER_ADDRESS: '60',
  MAX_CLAIMS_PER_DEALER: '150',
  MAX_REFUSALS_PER_ADDRESS: '60',
};
const TIMING = { presenceGrace: 50, closeTimeout: 1000, requestTimeout: 1000, requestInterval: 250 };
/** How long the attacker holds what the server lets it hold, in ms: whatever is left then should have been ended. */
const HOLD = 20_000;
/** How often waits are measured before they count as long; after this many ms, not again. */
const TURNS = 4;
const LONG = 35_000;
/** Servers that are older, in ms, are replaced: what may be done in a minute is counted anew within a flood by none of them. */
const OLD = 35_000;

/** Two servers, with honest users on both, one of which is flooded: what users of the other wait is the machine's doing. */
async function prepare() {
  const from = performance.now();
  const options = { settings: SETTINGS, timing: TIMING };
  const [flooded, quiet] = await Promise.all([Target.start(options), Target.start(options)]);
  const [here, elsewhere, attacker] = await Promise.all([
    bystanders(flooded),
    bystanders(quiet),
    findAttacker<Attack, Ends>('attacker.ts'),
  ]);
  const close = async () => {
    attacker.leave();
    await Promise.all([flooded.stop(), quiet.stop()]);
  };
  return { from, flooded, here, elsewhere, attack: attacker.attack, close };
}

/** Made once for all floods. It ends with this process. */
let arena: ReturnType<typeof prepare> | undefined;

/** The arena, made anew where it is too old for another flood. */
async function inArena(): ReturnType<typeof prepare> {
  const last = await arena;
  if (last && performance.now() - last.from < OLD) return last;
  await last?.close();
  arena = prepare();
  return arena;
}

let floodsSoFar = 0;

/** Who is flooded next, and by whom: a dealer and addresses that have not been used up. */
async function nextFlood({ at }: Target, addresses: number) {
  floodsSoFar += 1;
  const dealerId = `flooded${floodsSoFar}`;
  const token = await new Tokens([SECRET]).sign({
    role: 'server',
    dealer: ALL_DEALERS,
    sub: 'operator',
    exp: secondsFromNow(60),
  });
  const { status } = await fetch(`http://${at}/v1/dealers/${dealerId}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ origins: ['*'] }),
  });
  if (status !== 201) throw new Error(`the dealer was not made: ${status}`);
  return { dealerId, from: range(addresses, 1).map((n) => `127.1.${floodsSoFar}.${n}`) };
}

interface Waits {
  readonly quiet: Waited;
  readonly busy: Waited;
}

interface Flood extends Pick<Attack, 'kind' | 'count' | 'perSecond'> {
  /** From how many addresses it comes. */
  readonly addresses: number;
  /** Judges what became of the attack. */
  readonly check: (ledger: Ledger, ends: Ends) => void;
}

/** How many ended as one of these. */
const sumOf = (ends: Ends, ...kinds: string[]): number => kinds.reduce((sum, kind) => sum + (ends[kind] ?? 0), 0);

/** Runs a flood once. @returns how long honest users of both servers waited */
async function run({ check, addresses, ...order }: Flood, ledger: Ledger): Promise<Waits> {
  const { flooded, here, elsewhere, attack } = await inArena();
  const victim = await nextFlood(flooded, addresses);
  const before = await flooded.measure();
  const attacking = attack({ ...order, ...victim, hold: HOLD, at: flooded.at });
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
      await Promise.race([attacking, sleep(200)]);
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
    }
  };

export const floods: Scenarios = {
  /** More connections than the node has room for, none of which joins. */
  'flood-of-strangers': flood({
    kind: 'strangers',
    addresses: 1,
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
    addresses: 4,
    count: 300,
    perSecond: 600,
    check: (ledger, ends) => ledger.equal(ends, { cut: 300 }, 'all are cut in time'),
  }),

  /** Joins with tokens that are none. */
  'flood-of-bad-tokens': flood({
    kind: 'badTokens',
    addresses: 1,
    count: 500,
    perSecond: 400,
    check: (ledger, ends) => {
      const [looked, cut] = [sumOf(ends, 'unauthorized'), sumOf(ends, 'cut')];
      // Who is busy may miss the word with which it is closed.
      ledger.that(looked + cut >= 60 && looked < 80, `60 are looked at, and few that were under way: ${looked}`);
      ledger.equal(looked + cut + sumOf(ends, 'http 429', 'rate_limited'), 500, 'looked at, or turned away before');
      ledger.that(cut < 250, 'most of them are told why');
    },
  }),

  /** A hundred groups a second are claimed from one address. */
  'flood-of-claims': flood({
    kind: 'claims',
    addresses: 1,
    count: 200,
    perSecond: 100,
    check: (ledger, ends) => ledger.equal(ends, { joined: 60, rate_limited: 140 }, 'claims'),
  }),

  /** The same from many addresses at once: what a dealer may be claimed of is limited, too. */
  'flood-of-claims-from-everywhere': flood({
    kind: 'claims',
    addresses: 40,
    count: 300,
    perSecond: 200,
    check: (ledger, ends) => ledger.equal(ends, { joined: 150, rate_limited: 150 }, 'claims'),
  }),

  /** Frames as large as may be, and larger. */
  'flood-of-big-frames': flood({
    kind: 'bigFrames',
    addresses: 1,
    count: 20,
    perSecond: 10,
    check: (ledger, ends) => {
      ledger.equal(sumOf(ends, 'left'), 0, 'sockets that were not closed');
      // Who is busy sending may miss the word with which it is closed.
      ledger.that(sumOf(ends, 'cut') < 10, 'most of them are told why');
    },
  }),

  /** Pings of the WebSocket protocol itself, whose pongs are read or not. */
  'flood-of-pings': flood({
    kind: 'pings',
    addresses: 1,
    count: 20,
    perSecond: 40,
    check: (ledger, ends) => {
      ledger.that(sumOf(ends, '4429') >= 10, 'who waits for the pongs is told');
      ledger.equal(sumOf(ends, '4429', 'cut'), 20, 'told, or cut for not reading');
    },
  }),
};
