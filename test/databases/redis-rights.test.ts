/** [P-10] What the user of Redis may not do is named, and the line that is told of gives it all that Telle needs. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { aclLine, missingRights } from '../../src/bus/rights.ts';
import { checkDialect } from '../../src/cli/doctor-dialect.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { ask } from '../support/ask.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { DEALER, startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

describe('a user of Redis', () => {
  let server: RedisServer;
  let admin: Redis;
  before(async () => {
    server = await startRedis();
    admin = new Redis(server.url);
  });
  after(async () => {
    admin?.disconnect();
    await server?.stop();
  });

  const urlOf = (user: string) => server.url.replace('//', `//${user}:word@`);
  /** Makes a user with these rights. */
  const made = async (user: string, rights: string) => {
    await admin.call('ACL', 'SETUSER', user, 'on', '>word', ...rights.split(' '));
    return urlOf(user);
  };
  const lineFor = (prefix: string) => aclLine(prefix).replace('ACL SETUSER <user> ', '');

  for (const [what, rights, missing] of [
    ['channels', '~* +@all resetchannels', /^PUBLISH telle:.*what nodes say/],
    ['scripts', '~* &* +@all -eval', /^EVAL return 1 \(scripts\)$/],
    ['streams', '~* &* +@all -@stream', /^XREADGROUP GROUP \(the stream/],
    ['keys', '~other:* &* +@all', /^SET telle:pulse/],
  ] as const) {
    it(`that lacks ${what} is told so`, async () => {
      const client = new Redis(await made(what, rights));
      const found = await missingRights(client, 'telle:', false);
      client.disconnect();
      assert.match(found[0] ?? 'nothing', missing);
    });
  }

  it('has all that Telle needs by the line that is told, whatever the prefix; and nothing is left behind', async () => {
    for (const prefix of ['telle:', 'a*b[c]:']) {
      const client = new Redis(await made('line', `reset on >word ${lineFor(prefix)}`));
      assert.deepEqual(await missingRights(client, prefix, false), []);
      client.disconnect();
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(await admin.keys('*'), []);
  });

  it('that was given that line serves a node: what is published and the stream are taken', async () => {
    const REDIS_URL = await made('served', lineFor('served:'));
    const node = await startServer({ settings: { REDIS_URL, REDIS_PREFIX: 'served:' } });
    try {
      const agent = await node.admin();
      const said = { type: 'UPDATE_MSG', dealerId: DEALER, groupId: 'g1', user: 'bot' };
      await admin.xadd('served:ingress', '*', 'event', JSON.stringify({ ...said, message: 'by the stream' }));
      assert.equal((await agent.next('CHAT_MSG')).payload.message, 'by the stream');
      while ((await admin.publish('served:events', JSON.stringify({ ...said, message: 'by the channel' }))) === 0);
      assert.equal((await agent.next('CHAT_MSG')).payload.message, 'by the channel');
      assert.equal((await ask(node, '/ready')).body.redis, 'ok');
    } finally {
      await node.close();
    }
  });

  it('[P-19.2] that was given the line of the guide, too, serves the services of 2019', async () => {
    const guide = await readFile(new URL('../../docs/coming-from-socketio.md', import.meta.url), 'utf8');
    const [, line = assert.fail('the guide has no line')] = /`ACL SETUSER <user> ([^`]*)`/.exec(guide) ?? [];
    const REDIS_URL = await made('dialect', `${lineFor('telle:')} ${line}`);
    // Nobody has taken from it for a long time: what comes has to push something out.
    for (let many = 0; many < 100; many += 1)
      await admin.rpush('telle:queue:daemon', ...Array.from({ length: 1000 }, () => '{}'));
    const node = await startServer({ settings: { REDIS_URL, SOCKET_IO: 'on', DIALECT: 'telle2019' } });
    try {
      const agent = await node.admin();
      const said = { type: 'UPDATE_MSG', dealerId: DEALER, groupId: 'g1', muted: false, unread: 0 };
      const bot = { ...said, user: 'bot', message: [{ text: { text: ['by the channel'] } }] };
      while ((await admin.publish('telle_ai_chat', JSON.stringify(bot))) === 0);
      assert.equal((await agent.next('CHAT_MSG')).payload.message, 'by the channel');
      const customer = await node.customer('c1');
      await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'to the lists' });
      await customer.ask('customer_update', { type: 'UPDATE_LEAD', message: { name: 'Ada' } });
      for (const [list, type] of [
        ['telle:queue:bot', 'UPDATE_MSG'],
        ['telle:queue:notification', 'UPDATE_LEAD'],
      ] as const) {
        const [, text = '{}'] = (await admin.blpop(list, 10)) ?? [];
        assert.equal(JSON.parse(text).type, type, list);
      }
      assert.equal(await admin.llen('telle:queue:daemon'), 100_000);
      assert.equal(JSON.parse((await admin.lindex('telle:queue:daemon', -1)) ?? '').type, 'UPDATE_LEAD');
      await until('nothing is missing', async () => (await ask(node, '/ready')).body.redis === 'ok');
      const found = await checkDialect(readSettings({ REDIS_URL, DIALECT: 'telle2019' }));
      assert.deepEqual(
        found.filter(({ state }) => state === 'fault'),
        [],
      );
    } finally {
      await node.close();
    }
  });

  it('that lacks one is told of by /ready', async () => {
    const node = await startServer({ settings: { REDIS_URL: await made('less', `${lineFor('telle:')} -xreadgroup`) } });
    try {
      const rights = async () => (await ask(node, '/ready')).body.troubles?.rights;
      for (const deadline = Date.now() + 10_000; (await rights()) === undefined; ) {
        assert.ok(Date.now() < deadline, 'it does not say so');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.match(await rights(), /^the user of REDIS_URL may not .*XREADGROUP.*ACL SETUSER <user> ~telle:\*/);
      assert.doesNotMatch(await rights(), /word/);
    } finally {
      await node.close();
    }
  });
});
