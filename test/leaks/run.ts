/**
 * `npm run leaks`: connections, messages, recoveries and conversations by the thousand, and after each kind everything is as it was: memory in
 * use, open files, and what is in every map that the server keeps. The sizes are of a whole run;
 * `--connects 8000 --messages 80000 --recoveries 1000 --conversations 20000` is a quick one, and `--seed 1` repeats a run.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BUSY } from '../../src/store/sqlite/checkpoints.ts';
import { Endpoint, range, says } from '../stress/house.ts';
import { anySeed, Dice } from '../support/chance.ts';
import { startRedis } from '../support/redis.ts';
import { inFolder } from '../support/server.ts';
import { type Measures, Target } from '../support/target.ts';
import { conclude, type Verdict } from '../support/verdict.ts';

const MIB = 2 ** 20;
/** How much more memory may be in use than before, in bytes: what compiled code and warm caches come to. */
const MEMORY = 6 * MIB;
/** Before anything is counted, each kind of work is done so often: a part of the whole. */
const WARM_UP = 1 / 10;
const CONNECTIONS = 50;
const GROUPS = 500;
/** How long what has gone may take to be let go, and how often it is looked for, in ms. */
const PATIENCE = 20_000;
const LOOK = 500;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    connects: { type: 'string', default: '100000' },
    messages: { type: 'string', default: '1000000' },
    recoveries: { type: 'string', default: '10000' },
    conversations: { type: 'string', default: '100000' },
  },
});
const seed = Number(values.seed ?? anySeed());
const dice = new Dice(seed);

/** Does something so often, some at a time. */
async function often(times: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const run = async () => {
    for (let n = next++; n < times; n = next++) await work(n);
  };
  await Promise.all(range(CONNECTIONS).map(run));
}

/** Somebody comes and goes: a customer, a stranger who never joins, or one who is cut off while joining. */
async function comeAndGo(endpoint: Endpoint, n: number): Promise<void> {
  const turn = dice.below(4);
  if (turn === 0) {
    const stranger = await endpoint.dial();
    await stranger.cut();
  } else if (turn === 1) {
    const hasty = await endpoint.dial();
    hasty.send('client_join', { type: 'CLIENT_JOIN', token: 'x' });
    await hasty.cut();
  } else {
    const customer = await endpoint.customer(`g${n % GROUPS}`);
    if (dice.once(2)) customer.socket.close();
    else customer.socket.terminate();
    await customer.closed;
  }
}

const BATCH = 1000;

/** Messages into many groups, some of which have listeners. */
async function say(endpoint: Endpoint, count: number): Promise<void> {
  const listeners = await Promise.all(range(10).map((n) => endpoint.customer(`g${n}`)));
  for (let said = 0; said < count; said += BATCH) {
    const events = range(Math.min(BATCH, count - said)).map((n) => says(`g${n % 100}`, `m ${said + n}`));
    const refused = (await endpoint.post(events)).filter(({ error }) => error);
    if (refused.length > 0) throw new Error(`${refused.length} messages were refused`);
  }
  for (const listener of listeners) {
    if (listener.faults.length > 0) throw new Error(listener.faults[0]);
    await listener.cut();
  }
}

/** Conversations that pass an agent who stays: each has a word, and nobody is there any more. */
async function passBy(endpoint: Endpoint, count: number): Promise<void> {
  for (let passed = 0; passed < count; passed += BATCH) {
    const events = range(Math.min(BATCH, count - passed)).map(() => says(randomUUID(), 'hello'));
    const refused = (await endpoint.post(events)).filter(({ error }) => error);
    if (refused.length > 0) throw new Error(`${refused.length} messages were refused`);
  }
}

/** Somebody comes back and is sent what was missed. */
async function recover(endpoint: Endpoint, tails: ReadonlyMap<string, number>, n: number): Promise<void> {
  const groupId = `g${n % 100}`;
  const tail = tails.get(groupId) ?? 0;
  const guest = await endpoint.customer(groupId, { since: { [groupId]: Math.max(0, tail - dice.below(100)) } });
  await guest.sees(groupId, tail);
  if (guest.faults.length > 0) throw new Error(guest.faults[0]);
  await guest.cut();
}

/** How far the groups go, as those who join are told. */
async function tailsOf(endpoint: Endpoint): Promise<Map<string, number>> {
  const tails = new Map<string, number>();
  for (const n of range(100)) {
    const guest = await endpoint.customer(`g${n}`);
    tails.set(`g${n}`, guest.session.seqs[`g${n}`]);
    await guest.cut();
  }
  return tails;
}

/** What there is more of, in words. */
function grown(before: Measures, after: Measures): string[] {
  const more = Object.entries(after.counts).filter(([name, count]) => count > (before.counts[name] ?? 0));
  return [
    ...more.map(([name, count]) => `${name}: ${before.counts[name] ?? 0} before, ${count} now`),
    ...(after.files > before.files ? [`open files: ${before.files} before, ${after.files} now`] : []),
    ...(after.used > before.used + MEMORY ? [`${((after.used - before.used) / MIB).toFixed(1)} MiB more in use`] : []),
    ...after.faults,
  ];
}

/** Does the work, and waits for everything to be as it was. */
async function phase(target: Target, scenario: string, tried: number, work: () => Promise<void>): Promise<Verdict> {
  const from = performance.now();
  const before = await target.measure();
  const through: string[] = [];
  const notes: string[] = [];
  try {
    await work();
    let after = await target.measure();
    for (const until = performance.now() + PATIENCE; grown(before, after).length > 0 && performance.now() < until; ) {
      await new Promise((resolve) => setTimeout(resolve, LOOK));
      after = await target.measure();
    }
    through.push(...grown(before, after));
    const [was, is] = [before, after].map(({ used, files }) => `${(used / MIB).toFixed(1)} MiB, ${files} files`);
    notes.push(`before ${was}; after ${is}; in its maps ${JSON.stringify(after.counts)}`);
  } catch (fault) {
    through.push(`${fault instanceof Error ? fault.stack : fault}`);
  }
  return { scenario, tried, through, notes, seconds: (performance.now() - from) / 1000 };
}

/** Whatever ends this process ends its servers too. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

console.log(`seed ${seed}  (npm run leaks -- --seed ${seed})`);
const redis = await startRedis();
await inFolder(async (folder) => {
  const target = await Target.start({
    settings: {
      DATABASE_URL: `sqlite:${join(folder, 'telle.db')}`,
      REDIS_URL: redis.url,
      REDIS_PREFIX: `${randomUUID()}:`,
      RATE_LIMIT: 'off',
      MAX_CONNECTIONS_PER_ADDRESS: '10000',
    },
    timing: { presenceGrace: 50, commitLateness: 1_000 },
  });
  const endpoint = new Endpoint(target.at);
  const [connects, messages, recoveries, conversations] = [
    values.connects,
    values.messages,
    values.recoveries,
    values.conversations,
  ].map(Number);
  const works = {
    connects: { times: connects ?? 0, work: (times: number) => often(times, (n) => comeAndGo(endpoint, n)) },
    messages: { times: messages ?? 0, work: (times: number) => say(endpoint, times) },
    recoveries: {
      times: recoveries ?? 0,
      work: async (times: number) => {
        const tails = await tailsOf(endpoint);
        await often(times, (n) => recover(endpoint, tails, n));
      },
    },
  };
  await works.messages.work(BUSY); // from then on the server has a second thread, and what that one opens
  for (const { times, work } of Object.values(works)) await work(Math.ceil(times * WARM_UP));
  const verdicts: Verdict[] = [];
  for (const [name, { times, work }] of Object.entries(works)) {
    verdicts.push(await phase(target, name, times, () => work(times)));
  }
  // What the agent itself takes is none of it.
  const agent = await endpoint.admin();
  const passed = conversations ?? 0;
  await passBy(endpoint, Math.ceil(passed * WARM_UP));
  verdicts.push(await phase(target, 'conversations', passed, () => passBy(endpoint, passed)));
  await agent.cut();
  await target.stop();
  process.exitCode = conclude(verdicts, seed);
});
await redis.stop();
