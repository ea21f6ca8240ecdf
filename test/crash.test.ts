/** Whole processes: a chat over a real port, and servers that die of `kill -9` under load [P-8.1, P-8.2, P-8.4]. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { secondsFromNow, Tokens } from '../src/auth/tokens.ts';
import { anySeed, chance } from './support/chance.ts';
import type { Round, Sent, Told } from './support/flood.ts';
import type { Frame } from './support/frame.ts';
import { Process, type ServerProcess, startProcess, typescript } from './support/process.ts';
import { inFolder } from './support/server.ts';

const DEALER = 'demo';
const GROUPS = Array.from({ length: 8 }, (_, index) => `g${index}`);
const KILLS = 4;
const SECRET = 'a secret that only this test knows';
const HOUR = 3600;

const script = (name: string) => fileURLToPath(new URL(`./support/${name}`, import.meta.url));

type Report = Exclude<Told, 'reached'>;

/** The customers' process. */
class Flood {
  readonly #child: ChildProcess = fork(script('flood.ts'));
  #onTold: (told: Told) => void = () => {};
  #onEnd: () => void = () => {};

  constructor() {
    this.#child.on('message', (told: Told) => this.#onTold(told));
    this.#child.on('exit', () => this.#onEnd());
  }

  /** Runs a round: calls `reached` after its acks, and resolves when its sockets have gone. */
  run(round: Round, reached: () => void = () => {}): Promise<Report> {
    return new Promise((resolve, reject) => {
      this.#onEnd = () => reject(new Error('the customers’ process ended'));
      this.#onTold = (told) => (told === 'reached' ? reached() : resolve(told));
      this.#child.send(round);
    });
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill();
    await once(this.#child, 'exit');
  }
}

/** A scope's whole log, over HTTP. */
async function readLog({ http }: ServerProcess, scope: string, token: string): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? 'after=0' : `cursor=${cursor}`;
    const url = `${http}/v1/dealers/${DEALER}/scopes/${scope}/events?limit=200&${query}`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(response.status, 200);
    const page: { items: Frame[]; next: string | null } = JSON.parse(await response.text());
    frames.push(...page.items);
    cursor = page.next;
  }
  return frames;
}

const textOf = ({ payload }: Frame): string => payload.message.url ?? payload.message;
const isOfCustomer = ({ payload }: Frame) => payload.type === 'CHAT_MSG' || payload.type === 'UPDATE_PAGEVIEW';

/** Checks every log against what was sent and acked. @returns the frames of the customers', by id */
async function checkLogs(server: ServerProcess, sent: readonly Sent[], token: string): Promise<Map<string, Frame>> {
  const stored = new Map<string, Frame>();
  for (const scope of [...GROUPS, '@desk']) {
    const log = await readLog(server, scope, token);
    assert.deepEqual(
      log.map(({ seq }) => seq),
      log.map((_, index) => index + 1),
      `${scope} is numbered without gaps`,
    );
    for (const frame of log.filter(isOfCustomer)) {
      const id = frame.id ?? '';
      assert.ok(!stored.has(id), `${id} is stored once`);
      stored.set(id, frame);
    }
  }
  for (const { id, text, ack } of sent) {
    const frame = stored.get(id);
    if (ack) assert.deepEqual({ scope: frame?.scope, seq: frame?.seq }, ack, `${id} is where its ack said`);
    if (frame) assert.equal(textOf(frame), text);
  }
  const known = new Set(sent.map(({ id }) => id));
  assert.deepEqual(
    [...stored.keys()].filter((id) => !known.has(id)),
    [],
    'nothing is stored that nobody sent',
  );
  return stored;
}

/** Checks that each customer's frames are in the order in which they were sent. */
function checkOrder(stored: ReadonlyMap<string, Frame>, sent: readonly Sent[]): void {
  const last = new Map<string, number>();
  for (const { id, groupId } of sent) {
    const { scope, seq = 0 } = stored.get(id) ?? {};
    const of = `${groupId} in ${scope}`;
    assert.ok(seq > (last.get(of) ?? 0), `${id} comes after what its customer said before`);
    last.set(of, seq);
  }
}

async function killUnderLoad(t: TestContext, folder: string): Promise<void> {
  const seed = Number(process.env.CRASH_SEED ?? anySeed());
  t.diagnostic(`CRASH_SEED=${seed}`);
  const random = chance(seed);
  const tokens = new Tokens([SECRET]);
  const exp = secondsFromNow(HOUR);
  const admin = await tokens.sign({ role: 'admin', dealer: DEALER, sub: 'a1', exp });
  const customers = await Promise.all(
    GROUPS.map(async (groupId) => ({
      groupId,
      token: await tokens.sign({ role: 'customer', dealer: DEALER, sub: groupId, exp }),
    })),
  );
  const env = { AUTH_SECRET: SECRET, RATE_LIMIT: 'off', DATABASE_URL: `sqlite:${join(folder, 'telle.db')}` };
  const flood = new Flood();
  let server = await startProcess({ env });
  try {
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const acks = 50 + Math.floor(random() * 800);
      const window = 1 + Math.floor(random() * 12);
      const { url } = server;
      const { sent, errors } = await flood.run({ url, dealerId: DEALER, customers, window, acks }, () => {
        server.kill('SIGKILL');
      });
      assert.deepEqual(errors, []);
      assert.equal((await server.ended).signal, 'SIGKILL', 'it went on until it was killed');
      server = await startProcess({ env });
      const stored = await checkLogs(server, sent, admin);
      const acked = sent.filter(({ ack }) => ack).length;
      assert.ok(acked >= acks);
      t.diagnostic(
        `kill ${kill} after ${acks} acks, ${window} on the way each: of ${sent.length} sent in all, ` +
          `${acked} acked, ${stored.size} stored`,
      );
    }
    const { url } = server;
    const { sent, errors } = await flood.run({ url, dealerId: DEALER, customers, window: 1, acks: 0 });
    assert.deepEqual(errors, []);
    assert.ok(sent.every(({ ack }) => ack !== null));
    const stored = await checkLogs(server, sent, admin);
    assert.equal(stored.size, sent.length);
    checkOrder(stored, sent);
    t.diagnostic(`sent again what was not acked: of ${sent.length} sent, ${stored.size} stored, each once`);
  } finally {
    await server.kill();
    await flood.end();
  }
}

describe('a server in a process of its own', { timeout: 60_000 }, () => {
  it('killed with kill -9 under load, again and again, has lost nothing that it acked and stores nothing twice', (t) =>
    inFolder((folder) => killUnderLoad(t, folder)));

  it('lets two clients that are processes too chat with the lines that it prints', () =>
    inFolder(async (folder) => {
      const server = await startProcess({ cwd: folder });
      const pipes = [1, 2].map(() => new Process(typescript(script('pipe.ts')), [server.url]));
      try {
        await server.says(/admin_message.*\n/);
        const [join = '', says = '', adminJoin = '', answers = ''] = server.stdout.match(/^\{.*$/gm) ?? [];
        const [customer, agent] = pipes;
        assert.ok(customer && agent);
        agent.tell(adminJoin);
        await agent.says(/"channel":"session"/);
        customer.tell(join);
        await customer.says(/"channel":"session"/);
        customer.tell(says);
        await agent.says(/"type":"CHAT_MSG".*"user":"customer".*"unread":1,"message":"Is the blue one still there\?"/);
        agent.tell(answers);
        await customer.says(/"type":"MUTE_STATUS".*"muted":true/);
        await customer.says(/"type":"CHAT_MSG".*"user":"admin".*"unread":0,"message":"It is. Come and see it!"/);
        assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
        for (const pipe of pipes) await pipe.says(/^closed 1012$/m);
      } finally {
        for (const pipe of pipes) await pipe.kill();
        await server.kill();
      }
    }));
});
