/**
 * Runs attacks that obey every rule, beside honest users of another dealer: on the same server, and on one that nobody
 * attacks, whose users tell what the machine alone makes people wait.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALL_DEALERS } from '../../schemas/table.ts';
import { Target, type TargetOptions } from '../support/target.ts';
import { bystanders, findAttacker, sleep } from './bystanders.ts';
import { Endpoint } from './house.ts';
import type { Ends } from './obedience/means.ts';
import type { Order } from './obedience/one-who-obeys.ts';
import { bearable, isBearable, type Waited } from './pace.ts';
import type { Ledger, Scenario } from './scenario.ts';

export const MIB = 1024 * 1024;
/** How long after an attack others wait no longer than without it, in ms, and for how long that is measured. */
const AFTERWARDS = 1000;
const MEASURED = 500;
/** How often an attack is tried before what others wait counts as long; after this many ms, not again. */
const TURNS = 4;
const LONG = 25_000;

export interface Attack extends Pick<Order, 'act' | 'time'>, Partial<Pick<Order, 'asks'>> {
  /** Groups of the dealer whose customers attack. */
  readonly groups?: readonly string[];
  /** What the dealer has before. */
  readonly prepare?: (dealer: Endpoint) => Promise<unknown>;
  /** How much more memory the server may take at most, and how much its database may grow, in bytes. */
  readonly memory: number;
  readonly disk?: number;
  /** How long others may wait during it, p99 in ms, where that is more than twice as long as where it is quiet. */
  readonly wait?: number;
  /** Judges what came of it. */
  readonly check?: (ledger: Ledger, ends: Ends, dealer: Endpoint) => unknown;
}

const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

/**
 * A server that nobody attacks, like the other one in all else, and its users; and the attacker. Made once; they end with this
 * process. Both servers wait for the same disk: what it makes people wait is nobody's attack.
 */
async function findOthers(options: TargetOptions) {
  const [quiet, attacker] = await Promise.all([open(options), findAttacker<Order, Ends>('obedience/one-who-obeys.ts')]);
  return { quiet: quiet.pace, obey: attacker.attack };
}
type Others = Awaited<ReturnType<typeof findOthers>>;
let others: Promise<Others> | undefined;

/** A server that keeps what it is told in files, and its honest users. */
async function open(options: TargetOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'telle-'));
  const removeFiles = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFiles);
  const settings = { ...options.settings, DATABASE_URL: `sqlite:${join(folder, 'telle.db')}` };
  const target = await Target.start({ ...options, settings });
  const close = async () => {
    await target.stop();
    removeFiles();
  };
  return { target, folder, pace: (await bystanders(target)).pace, close };
}
type Arena = Awaited<ReturnType<typeof open>>;

/** Made once for all attacks, and anew after one that it did not bear: what one leaves behind the next would find. */
let arena: Promise<Arena> | undefined;

let attacksSoFar = 0;

/** Makes a dealer to attack with, of which everything is known that a document asks for. */
async function makeDealer(at: string): Promise<{ dealer: Endpoint; from: string }> {
  attacksSoFar += 1;
  const dealerId = `obeyed${attacksSoFar}`;
  const operator = new Endpoint(at, { dealer: ALL_DEALERS });
  const response = await fetch(`http://${at}/v1/dealers/${dealerId}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${operator.token('server', 'operator')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Obeyed Motors', phone: '1', origins: ['*'] }),
  });
  if (response.status !== 201) throw new Error(`the dealer was not made: ${response.status}`);
  const from = `127.2.${attacksSoFar}.1`;
  return { dealer: new Endpoint(at, { dealer: dealerId, from }), from };
}

/** What was measured of an attack. */
interface Measured {
  readonly ends: Ends;
  /** What others waited, on the quiet server and on the attacked one: meanwhile, and afterwards. */
  readonly waits: readonly (readonly [quiet: Waited, busy: Waited])[];
  /** Bytes of memory and of disk more than before. */
  readonly memory: number;
  readonly disk: number;
  readonly dealer: Endpoint;
}

const inWords = (what: string, bytes: number) => `${what}: ${(bytes / MIB).toFixed(0)} MiB more`;

/** Attacks a server once. @throws Error where the server is gone, or somebody honest was refused or closed */
async function run(
  { act, time, groups = [], asks = [], prepare }: Attack,
  on: Arena,
  beside: Others,
): Promise<Measured> {
  const { quiet, obey } = beside;
  const { target, folder, pace } = on;
  const { dealer, from } = await makeDealer(target.at);
  await prepare?.(dealer);
  const { at, dealerId } = dealer;
  const customers = groups.map((groupId) => ({ groupId, token: dealer.token('customer', groupId) }));
  const [agent, server] = [dealer.token('admin', 'agent'), dealer.token('server', 'server')];
  await target.measure();
  target.peak();
  const [memory, disk] = [target.peak(), bytesIn(folder)];
  const grown = () => ({ memory: target.peak() - memory, disk: bytesIn(folder) - disk });
  const obeying = obey({ at, from, dealerId, act, time, asks, customers, agent, server });
  try {
    const meanwhile = await Promise.all([quiet.during(() => obeying), pace.during(() => obeying)]);
    const taken = grown();
    await sleep(AFTERWARDS);
    const measured = () => sleep(MEASURED);
    const afterwards = await Promise.all([quiet.during(measured), pace.during(measured)]);
    return { ends: await obeying, waits: [meanwhile, afterwards], ...taken, dealer };
  } catch (fault) {
    if (target.end !== null) throw new Error(`the server's process is gone: ${target.end}`);
    const taken = grown();
    throw new Error(`${inWords('memory', taken.memory)}, ${inWords('disk', taken.disk)}: ${fault}`);
  } finally {
    await obeying;
  }
}

/** Checks what was measured against what is allowed, and notes it. */
async function judge(attack: Attack, { ends, waits, memory, disk, dealer }: Measured, ledger: Ledger): Promise<void> {
  ledger.notes.push(`what came of it: ${JSON.stringify(ends)}`, inWords('memory', memory), inWords('disk', disk));
  for (const [quiet, busy] of waits) bearable(ledger, quiet, busy, attack.wait);
  ledger.that(memory <= attack.memory, inWords('memory', memory));
  if (attack.disk !== undefined) ledger.that(disk <= attack.disk, inWords('disk', disk));
  await attack.check?.(ledger, ends, dealer);
}

const isBorne = ({ waits }: Measured, { wait }: Attack): boolean =>
  waits.every(([quiet, busy]) => isBearable(quiet, busy, wait));

/** The scenario of an attack on a server with these options. */
export const obeying =
  (options: TargetOptions) =>
  (attack: Attack): Scenario =>
  async ({ ledger }) => {
    arena ??= open(options);
    others ??= findOthers(options);
    const [on, beside] = await Promise.all([arena, others]);
    try {
      const began = performance.now();
      let measured = await run(attack, on, beside);
      for (let turn = 1; turn < TURNS && performance.now() - began < LONG && !isBorne(measured, attack); turn += 1) {
        measured = await run(attack, on, beside);
      }
      await judge(attack, measured, ledger);
      ledger.equal((await on.target.measure()).faults, [], 'faults');
    } catch (fault) {
      ledger.that(false, fault instanceof Error ? fault.message : String(fault));
    } finally {
      if (ledger.through.length > 0) {
        arena = undefined;
        await on.close();
      }
    }
  };
