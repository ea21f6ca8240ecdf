/** Three nodes, one Redis, one Postgres, and each of them fails once while 20,000 messages go through. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { type NodeProcess, startNode } from '../support/node.ts';
import { makeDatabase, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { Member, until } from './member.ts';

const SECRET = 'a secret that the three nodes share and nobody else';
const tokens = new Tokens([SECRET]);
const DEALERS = ['d0', 'd1', 'd2'];
const GROUPS_A_DEALER = 20;
/** How the 20,000 are said. */
const BY = { customers: 13_200, admins: 3_600, stream: 2_400, channel: 800 };
const TOTAL = Object.values(BY).reduce((sum, count) => sum + count, 0);

interface Conversation {
  readonly dealerId: string;
  readonly groupId: string;
}

describe('a platform of three nodes', () => {
  let postgres: PostgresServer;
  let redis: RedisServer;
  let database: string;
  let outside: Redis | undefined;
  const nodes: NodeProcess[] = [];
  const living = () =>
    nodes.filter((node) => node.process.exitCode === null && !node.process.killed).map(({ at }) => at);
  const conversations: Conversation[] = DEALERS.flatMap((dealerId) =>
    Array.from({ length: GROUPS_A_DEALER }, (_, index) => ({ dealerId, groupId: `${dealerId}-g${index}` })),
  );
  const customers: Member[] = [];
  const admins: { readonly dealerId: string; readonly member: Member }[] = [];
  const everybody = () => [...customers, ...admins.map(({ member }) => member)];

  before(async () => {
    [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
    database = await makeDatabase(postgres.url);
    const settings = { DATABASE_URL: database, REDIS_URL: redis.url, AUTH_SECRET: SECRET, RATE_LIMIT: 'off' };
    // Together, so that all of them want to migrate at once.
    nodes.push(...(await Promise.all([startNode(settings), startNode(settings), startNode(settings)])));
  });

  after(async () => {
    outside?.disconnect();
    for (const member of everybody()) member.close();
    await Promise.all(nodes.map((node) => node.kill()));
    await Promise.all([redis?.stop(), postgres?.stop()]);
  });

  it('loses, doubles and reorders nothing while Redis stops, Postgres restarts and a node is killed', async () => {
    await makeDealers();
    await joinAll();
    outside = new Redis(redis.url, { retryStrategy: () => 100, maxRetriesPerRequest: null });
    outside.on('error', () => {});
    const streamed = new Set<string>();
    const published = new Set<string>();

    sayAll();
    const feeding = feedRedis(outside, streamed, published);
    const ackedAbout = () => everybody().reduce((sum, { acked }) => sum + acked.size, 0) / (BY.customers + BY.admins);
    await until('a fifth acked', () => ackedAbout() > 0.2);
    await redis.halt();
    await until('acks without Redis', () => ackedAbout() > 0.4);
    await redis.resume();
    await until('half acked', () => ackedAbout() > 0.5);
    await postgres.halt();
    await until('unavailable is told', () => everybody().some((member) => member.unacked > 0));
    await postgres.resume();
    await until('acks after the restart', () => ackedAbout() > 0.7, 20_000);
    const goneWithNode = await killNode();
    await until('all acked', () => everybody().every(({ unacked }) => unacked === 0), 90_000);
    await feeding;

    const stored = await storedWhenComplete(streamed);
    const tails = tailsOf(stored);
    await until('everybody has seen all', () => hasAll(tails));
    check(stored, tails, streamed, published);
    assert.ok(goneWithNode <= 30_000, `told offline after ${goneWithNode} ms`);
  });

  async function makeDealers() {
    const token = await tokens.sign({ role: 'server', dealer: '*', sub: 'test', exp: secondsFromNow(600) });
    for (const dealerId of DEALERS) {
      const response = await fetch(`http://${nodes[0]?.at}/v1/dealers/${dealerId}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{}',
      });
      assert.equal(response.status, 201);
    }
  }

  async function joinAll() {
    for (const [index, dealerId] of DEALERS.entries()) {
      for (const adminId of ['a0', 'a1']) {
        const token = await tokens.sign({ role: 'admin', dealer: dealerId, sub: adminId, exp: secondsFromNow(600) });
        const join = { type: 'ADMIN_JOIN', dealerId, adminId, user: 'admin', online: true, token };
        const first = index + (adminId === 'a0' ? 0 : 1);
        admins.push({ dealerId, member: new Member({ nodes: living, first, channel: 'admin_join', join }) });
      }
    }
    await until('admins have joined', () => everybody().every(({ joins }) => joins > 0));
    for (const [index, { dealerId, groupId }] of conversations.entries()) {
      const join = { type: 'CLIENT_JOIN', dealerId, groupId, user: 'customer', online: true };
      customers.push(new Member({ nodes: living, first: index, channel: 'client_join', join }));
    }
    await until('customers have joined', () => everybody().every(({ joins }) => joins > 0));
  }

  function sayAll() {
    for (const [index, member] of customers.entries()) {
      for (let n = 0; n < BY.customers / customers.length; n += 1) {
        member.say(`c${index}-${n}`, 'customer_message', {
          type: 'UPDATE_MSG',
          message: `customer ${index} says ${n}`,
        });
      }
    }
    for (const [index, { dealerId, member }] of admins.entries()) {
      const groups = conversations.filter((conversation) => conversation.dealerId === dealerId);
      for (let n = 0; n < BY.admins / admins.length; n += 1) {
        const { groupId } = groups[n % groups.length] ?? {};
        member.say(`a${index}-${n}`, 'admin_message', {
          type: 'UPDATE_MSG',
          groupId,
          message: `admin ${index} says ${n}`,
        });
      }
    }
  }

  /** Other servers: what XADD has taken must be stored; what is published while Redis lives may be. */
  async function feedRedis(outside: Redis, streamed: Set<string>, published: Set<string>) {
    for (let n = 0; n < BY.stream; n += 1) {
      const { dealerId, groupId } = conversations[n % conversations.length] ?? {};
      const event = { type: 'UPDATE_MSG', dealerId, groupId, user: 'customer', message: `server says ${n}` };
      await outside.xadd('telle:ingress', '*', 'event', JSON.stringify({ ...event, id: `s-${n}` })).then(
        () => streamed.add(`s-${n}`),
        () => {},
      );
      if (n % 3 !== 0) continue;
      await outside.publish('telle:events', JSON.stringify({ ...event, id: `p-${n}` })).then(
        () => published.add(`p-${n}`),
        () => {},
      );
    }
  }

  /** Kills the first node, with a customer on it who never comes back. @returns ms until an admin is told */
  async function killNode(): Promise<number> {
    const [doomed, ...others] = nodes;
    const dealerId = 'd0';
    const lost = new Member({
      nodes: () => [doomed?.at ?? ''],
      first: 0,
      channel: 'client_join',
      join: { type: 'CLIENT_JOIN', dealerId, groupId: 'lost', user: 'customer', online: true },
    });
    await until('the lost one has joined', () => lost.joins > 0);
    const client = new pg.Client({ connectionString: database });
    await client.connect();
    lost.close();
    await doomed?.kill();
    const killedAt = Date.now();
    assert.equal(living().length, others.length);
    const isOnline = async () => {
      const { rows } = await client.query(`select online from groups where group_id = 'lost'`);
      return rows[0].online;
    };
    while (await isOnline()) {
      if (Date.now() - killedAt > 30_000) break;
      await pause(250);
    }
    await client.end();
    return Date.now() - killedAt;
  }

  interface Stored {
    readonly dealer_id: string;
    readonly scope: string;
    readonly seq: number;
    readonly id: string;
    readonly keyed: boolean;
  }

  /** All events, once what the stream took is among them. */
  async function storedWhenComplete(streamed: ReadonlySet<string>): Promise<Stored[]> {
    const client = new pg.Client({ connectionString: database });
    await client.connect();
    const deadline = Date.now() + 60_000;
    for (;;) {
      const { rows } = await client.query<Stored>(
        'select dealer_id, scope, seq::int as seq, id, keyed from events order by dealer_id, scope, seq',
      );
      const ids = new Set(rows.map(({ id }) => id));
      if ([...streamed].every((id) => ids.has(id)) || Date.now() > deadline) {
        await client.end();
        return rows;
      }
      await pause(250);
    }
  }

  function tailsOf(stored: readonly Stored[]): Map<string, number> {
    const tails = new Map<string, number>();
    for (const { dealer_id, scope, seq } of stored) tails.set(`${dealer_id}/${scope}`, seq);
    return tails;
  }

  function hasAll(tails: ReadonlyMap<string, number>): boolean {
    return conversations.every(({ dealerId, groupId }, index) => {
      const tail = tails.get(`${dealerId}/${groupId}`) ?? 0;
      const watching = admins.filter((admin) => admin.dealerId === dealerId).map(({ member }) => member);
      return [customers[index], ...watching].every((member) => (member?.last(groupId) ?? 0) >= tail);
    });
  }

  function check(
    stored: readonly Stored[],
    tails: ReadonlyMap<string, number>,
    streamed: ReadonlySet<string>,
    published: ReadonlySet<string>,
  ) {
    const times = new Map<string, number>();
    for (const { id } of stored) times.set(id, (times.get(id) ?? 0) + 1);
    const acked = everybody().flatMap((member) => [...member.acked.keys()]);
    const lost = [...acked, ...streamed].filter((id) => times.get(id) !== 1);
    const twice = [...times].filter(([, count]) => count !== 1);
    const gaps = [...tails].filter(
      ([key, tail]) => stored.filter((row) => `${row.dealer_id}/${row.scope}` === key).length !== tail,
    );
    const faults = everybody().flatMap(({ faults: told }) => told);
    const count = (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0);
    console.log({
      messages: TOTAL,
      acked: acked.length,
      streamed: streamed.size,
      published: published.size,
      publishedAndStored: [...published].filter((id) => times.has(id)).length,
      events: stored.length,
      received: count(everybody().map(({ seen }) => count([...seen.values()].map(({ length }) => length)))),
      joins: count(everybody().map(({ joins }) => joins)),
      repeatsAcked: count(everybody().map(({ repeats }) => repeats)),
      lost: lost.length,
      twice: twice.length,
      gapsInTheLog: gaps.length,
      faultsOfOrder: faults.length,
    });
    assert.deepEqual(lost, []);
    assert.deepEqual(twice, []);
    assert.deepEqual(gaps, []);
    assert.deepEqual(faults, []);
    assert.equal(acked.length, BY.customers + BY.admins);
    assert.equal(streamed.size, BY.stream);
  }
});
