/**
 * `npm run fuzz`: inputs by chance into a server that runs, by every way in; and one table at the end. `--inputs 200000` says
 * how many, `--seed 1` repeats a run, `--only frames` takes one way.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Guest } from '../stress/guest.ts';
import { Endpoint } from '../stress/house.ts';
import { anySeed, Dice } from '../support/chance.ts';
import { startRedis } from '../support/redis.ts';
import { type Measures, type Stall, withTarget } from '../support/target.ts';
import { conclude, type Verdict } from '../support/verdict.ts';
import { fuzzFrames } from './frames.ts';
import { fuzzHttp } from './http.ts';
import type { Field, Fuzz } from './part.ts';
import { fuzzRedis } from './redis.ts';

interface Way {
  readonly fuzz: Fuzz;
  /** Its share of the inputs. */
  readonly share: number;
}

/** All of them at the same time. */
const WAYS: Readonly<Record<string, Way>> = {
  frames: { fuzz: fuzzFrames, share: 0.4 },
  http: { fuzz: fuzzHttp, share: 0.1 },
  redis: { fuzz: fuzzRedis, share: 0.5 },
};
/** Inputs after which it is looked whether the server stood still, in ms; and how often that must come again to be believed. */
const CHUNK = 2_000;
const STALL = 100;
const REPEATS = 4;
/** How much more memory may be in use at the end than after a quarter, in bytes. */
const FLAT = 16 * 1024 * 1024;

const { values } = parseArgs({
  options: { seed: { type: 'string' }, inputs: { type: 'string', default: '200000' }, only: { type: 'string' } },
});
const seed = Number(values.seed ?? anySeed());
const inputs = Number(values.inputs);

/**
 * Hands in a chunk. Where the server stood still, the very same is handed in again: what an input does it does each time,
 * what the machine did it does not.
 */
async function chunk(field: Field, fuzz: Fuzz, chunkSeed: number, count: number) {
  await field.target.stall();
  const through = await fuzz(field, new Dice(chunkSeed), count);
  const stalls = [await field.target.stall()];
  const stoodStill = () => stalls.every(({ busy }) => busy > STALL);
  while (stoodStill() && stalls.length < REPEATS) {
    await fuzz(field, new Dice(chunkSeed), count);
    stalls.push(await field.target.stall());
  }
  if (stoodStill()) {
    const times = stalls.map(({ busy }) => busy.toFixed(0));
    through.push(`it stood still for ${times} ms, each time with the chunk of seed ${chunkSeed}`);
  }
  return { through, stalls };
}

/** All chunks of one way in. */
async function run(field: Field, name: string, { fuzz, share }: Way): Promise<Verdict> {
  const from = performance.now();
  const through: string[] = [];
  const notes: string[] = [];
  const dice = new Dice(seed);
  const stalls: Stall[] = [];
  const total = Math.round(inputs * share);
  let quarter: Measures | null = null;
  let tried = 0;
  try {
    while (tried < total) {
      const count = Math.min(CHUNK, total - tried);
      const chunked = await chunk(field, fuzz, dice.below(2 ** 31), count);
      through.push(...chunked.through);
      stalls.push(...chunked.stalls);
      tried += count;
      if (tried >= total / 4) quarter ??= await field.target.measure();
    }
    const { used, faults } = await field.target.measure();
    through.push(...faults);
    const grown = used - (quarter?.used ?? used);
    notes.push(`${(used / 2 ** 20).toFixed(0)} MiB in use, ${(grown / 2 ** 20).toFixed(1)} more than after a quarter`);
    const [busy, seen] = (['busy', 'seen'] as const).map((kind) => Math.max(...stalls.map((stall) => stall[kind])));
    notes.push(`stood still for at most ${busy?.toFixed(0)} ms of its own work, ${seen?.toFixed(0)} ms by the clock`);
    if (grown > FLAT) through.push(`memory grew by ${grown} bytes`);
    through.push(...(await honestChat(field.target.at)));
  } catch (fault) {
    through.push(`${fault instanceof Error ? fault.stack : fault}`);
  }
  return { scenario: name, tried, through: [...new Set(through)], notes, seconds: (performance.now() - from) / 1000 };
}

/** The most tries of somebody who means well, and the pause between two, in ms. */
const TRIES = 5;
const PAUSE = 500;

/** Joins; again, as clients do, where the last of what was said before is still told in more than a socket may hold [P-9]. */
async function comeIn(join: () => Promise<Guest>): Promise<Guest> {
  for (let tried = 1; tried < TRIES; tried += 1) {
    const guest = await join().catch(() => null);
    if (guest) return guest;
    await pause(PAUSE);
  }
  return join();
}

/** After all that, somebody who means well chats. */
async function honestChat(at: string): Promise<string[]> {
  const endpoint = new Endpoint(at);
  const groupId = `honest-${randomUUID()}`;
  const [customer, admin] = await Promise.all([
    comeIn(() => endpoint.customer(groupId)),
    comeIn(() => endpoint.admin('honest')),
  ]);
  const said = await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'Is anybody here?' });
  const answer = await admin.ask('admin_message', { type: 'UPDATE_MSG', groupId, message: 'Yes' });
  await customer.until(() => customer.of('CHAT_MESSAGE').length === 1, 'the answer');
  await Promise.all([customer.cut(), admin.cut()]);
  return said.channel === 'ack' && answer.channel === 'ack' ? [] : ['an honest chat was refused'];
}

/** Whatever ends this process ends its servers too. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** What a server logs as an error, and is none of its own: anybody may publish anything where the nodes speak among themselves. */
const EXPECTED = /"msg":"what came on \S+ is no frame"/;

/** A way in, into a server of its own. */
async function attack(name: string, way: Way, redis: string): Promise<Verdict> {
  const prefix = `${randomUUID()}:`;
  const settings = {
    RATE_LIMIT: 'off',
    MAX_CONNECTIONS_PER_ADDRESS: '10000',
    REDIS_URL: redis,
    REDIS_PREFIX: prefix,
    LOG_LEVEL: 'error',
  };
  return withTarget({ settings }, async (target) => {
    const verdict = await run({ target, redis, prefix }, name, way);
    const faults = target.log.split('\n').filter((line) => line !== '' && !EXPECTED.test(line));
    return { ...verdict, through: [...verdict.through, ...faults.map((line) => `it logged ${line}`)] };
  });
}

console.log(`seed ${seed}  (npm run fuzz -- --seed ${seed} --inputs ${inputs})`);
const redis = await startRedis();
const ways = Object.entries(WAYS).filter(([name]) => values.only === undefined || values.only === name);
const verdicts = await Promise.all(ways.map(([name, way]) => attack(name, way, redis.url)));
await redis.stop();
process.exitCode = conclude(verdicts, seed);
