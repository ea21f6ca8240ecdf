/** [P-8.3] Nodes whose clocks differ by 20 minutes: what each stores has the database's time, and reaches the others. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openStore } from '../../src/app.ts';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { Member } from '../cluster/member.ts';
import { type NodeProcess, startNode } from '../support/node.ts';
import { makeDatabase } from '../support/postgres.ts';
import { telle } from '../support/process.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { groupRow, write } from '../support/rows.ts';
import { until } from '../support/until.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');
const SECRET = 'a secret that both nodes share and nobody else';
const BEHIND = 20 * 60_000;

/** Sets the clock of a process that is started with it. */
const setBack = `data:text/javascript,${encodeURIComponent(`
  const { now } = Date;
  Date.now = () => now() - ${BEHIND};
  globalThis.Date = new Proxy(Date, {
    construct: (Real, given) => given.length === 0 ? new Real(Real.now()) : new Real(...given),
  });`)}`;

describe('two nodes whose clocks are 20 minutes apart', () => {
  const tokens = new Tokens([SECRET]);
  const nodes: NodeProcess[] = [];
  const members: Member[] = [];
  let redis: RedisServer;

  before(async () => {
    redis = await startRedis();
    const settings = { DATABASE_URL: await makeDatabase(postgres), REDIS_URL: redis.url, AUTH_SECRET: SECRET };
    nodes.push(await startNode(settings));
    nodes.push(await startNode({ ...settings, NODE_OPTIONS: `--import=${setBack}` }));
    const made = await fetch(`http://${nodes[0]?.at}/v1/dealers/d1`, { method: 'PUT', headers: headers(), body: '{}' });
    assert.equal(made.status, 201);
  });
  after(async () => {
    for (const member of members) member.close();
    await Promise.all(nodes.map((node) => node.kill()));
    await redis?.stop();
  });

  const token = (role: 'admin' | 'server', sub: string) =>
    tokens.sign({ role, dealer: role === 'server' ? '*' : 'd1', sub, exp: secondsFromNow(3600) });

  const headers = () => ({ authorization: `Bearer ${token('server', 'test')}`, 'content-type': 'application/json' });

  // biome-ignore lint/suspicious/noExplicitAny: it is read as a stranger reads it
  async function call(path: string): Promise<any[]> {
    const response = await fetch(`http://${nodes[0]?.at}${path}`, { headers: headers() });
    assert.equal(response.status, 200);
    return JSON.parse(await response.text()).items;
  }

  function join(node: number, channel: 'admin_join' | 'client_join', more: object): Member {
    const at = nodes[node]?.at ?? '';
    const member = new Member({
      nodes: () => [at],
      first: 0,
      channel,
      join: { dealerId: 'd1', online: true, ...more },
    });
    members.push(member);
    return member;
  }
  const customer = (node: number, groupId: string) =>
    join(node, 'client_join', { type: 'CLIENT_JOIN', user: 'customer', groupId });
  const say = async (member: Member, message: string) => {
    member.say(message, 'customer_message', { type: 'UPDATE_MSG', message });
    await until(`${message} is acked`, async () => member.acked.has(message));
  };

  it('list groups in the order in which they spoke', async () => {
    const [right, late] = [customer(0, 'first'), customer(1, 'second')];
    await until('both are in', async () => right.joins > 0 && late.joins > 0);
    await say(right, 'm1');
    await say(late, 'm2');
    const groups = await call('/v1/dealers/d1/groups');
    assert.deepEqual(
      groups.map((group) => group.groupId),
      ['second', 'first'],
    );
    const events = await call('/v1/dealers/d1/scopes/second/events');
    for (const { at } of events) assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000, at);
  });

  it('have a conversation erased at the database’s time by a command on the late machine', async () => {
    const url = await makeDatabase(postgres);
    const store = openStore(readSettings({ DATABASE_URL: url }));
    try {
      await store.migrate();
      await store.putDealer('d1', { retentionDays: 1 });
      await write(store, { groups: { 'd1/old': groupRow() }, at: Date.now() - 2 * 24 * 3_600_000 });
      const env = { DATABASE_URL: url, AUTH_SECRET: SECRET, NODE_OPTIONS: `--import=${setBack}` };
      assert.equal((await telle(['prune'], { env })).code, 0);
      const [receipt] = await store.erasures('d1', { limit: 1 });
      assert.ok(receipt && Math.abs(receipt.at - Date.now()) < 60_000, `${receipt?.at}`);
    } finally {
      await store.close();
    }
  });

  it('hear of each other what was said while Redis was away, though nobody says any more', async () => {
    const desk = join(0, 'admin_join', {
      type: 'ADMIN_JOIN',
      user: 'admin',
      adminId: 'a1',
      token: token('admin', 'a1'),
    });
    await until('the desk is in', async () => desk.joins > 0);
    await redis.halt();
    const late = customer(1, 'late');
    await until('the customer is in', async () => late.joins > 0);
    await say(late, 'm3');
    assert.equal(desk.last('late'), 0);
    await redis.resume();
    await until('the desk hears of it', async () => desk.last('late') === late.last('late'));
    assert.deepEqual(desk.faults, []);
  });
});
