/** [P-21.1] A standby that takes over before it has everything: what it goes on with is another log, and clients are told so. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { makeDatabase, type PostgresServer, startPostgres, withClient } from '../support/postgres.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const redis = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set: run the tests with `npm test`');

const say = (message: string, more: object = {}) => ({ type: 'UPDATE_MSG', message, ...more });

async function asked(url: string, query: string): Promise<Record<string, unknown>> {
  const { rows } = await withClient(url, (client) => client.query(query));
  return rows[0] ?? {};
}

const within = (url: string, database: string): string => Object.assign(new URL(url), { pathname: database }).href;

describe('[P-21.1] a standby that lagged', () => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  let database: string;
  const nodes: TestServer[] = [];

  before(async () => {
    primary = await startPostgres();
    standby = await startPostgres({ of: primary, files: { 'standby.signal': '' } });
    const url = await makeDatabase(primary.url);
    const { host, pathname } = new URL(url);
    database = pathname;
    const both = url.replace(host, `${host},${new URL(standby.url).host}`);
    const settings = { DATABASE_URL: both, REDIS_URL: redis, REDIS_PREFIX: `${randomUUID()}:` };
    for (const _ of [1, 2]) nodes.push(await startServer({ settings, timing: { nodeInterval: 100 } }));
  });
  after(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await Promise.all([primary, standby].map((server) => server.stop()));
  });

  it('and is promoted begins another epoch: sockets are closed on every node, and what is new is shown to who comes back', async () => {
    const [one = assert.fail(), two = assert.fail()] = nodes;
    const [customer, admin] = [await one.customer('g1'), await two.admin()];
    const { epoch, token } = customer.session;
    assert.equal(admin.session.epoch, epoch);
    await customer.ask('customer_message', say('one'));
    const events = "select count(*)::int as count from events where scope = 'g1'";
    await until('the standby has it', async () => (await asked(within(standby.url, database), events)).count === 1);
    await asked(standby.url, "alter system set primary_conninfo = ''");
    await asked(standby.url, 'select pg_reload_conf()');
    const receiving = 'select count(*)::int as count from pg_stat_wal_receiver';
    await until('it lags', async () => (await asked(standby.url, receiving)).count === 0);
    for (const text of ['lost', 'lost, too']) {
      const { seq } = await customer.ask('customer_message', say(text));
      await admin.next((frame) => frame.scope === 'g1' && frame.seq === seq);
    }

    await primary.halt();
    await asked(standby.url, 'select pg_promote()');
    assert.deepEqual(await Promise.all([customer.closed, admin.closed]), [1012, 1012]);

    const since = { g1: 3, '@dealer': 0 };
    const agent = await two.admin('a2');
    const back = await one.customer('g1', { token, since, epoch });
    assert.notEqual(back.session.epoch, epoch);
    assert.deepEqual([back.session.recovered, back.session.seqs.g1], [{ g1: false, '@dealer': false }, 1]);
    for (const [index, text] of ['new', 'new, too'].entries()) {
      assert.equal((await back.ask('customer_message', say(text))).seq, 2 + index);
      assert.equal((await agent.next('CHAT_MSG')).payload.message, text);
    }
    const again = { g1: 1, '@dealer': 0 };
    const { session } = await one.customer('g1', { token, since: again, epoch: back.session.epoch });
    assert.deepEqual(session.recovered, { g1: true, '@dealer': true });
  });
});

describe('[P-21.1] the epoch in Postgres', () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  const epochOf = async (url: string): Promise<string> => {
    const store = openStore(readSettings({ DATABASE_URL: url }));
    try {
      await store.migrate();
      return await store.epoch();
    } finally {
      await store.close();
    }
  };

  it('stays over a restart, and is asked for by a role that may only use the tables', async () => {
    const url = await makeDatabase(server.url);
    const epoch = await epochOf(url);
    await server.halt();
    await server.resume();
    assert.equal(await epochOf(url), epoch);
    await asked(url, 'create role clerk login');
    await asked(url, 'grant select, insert, update, delete on all tables in schema public to clerk');
    await asked(url, 'grant usage on schema drizzle to clerk');
    await asked(url, 'grant select on all tables in schema drizzle to clerk');
    assert.equal(await epochOf(Object.assign(new URL(url), { username: 'clerk' }).href), epoch);
  });

  it('is another where the tables were made anew, as a dump that is restored does', async () => {
    const url = await makeDatabase(server.url);
    const epoch = await epochOf(url);
    await asked(url, 'drop schema public, drizzle cascade');
    await asked(url, 'create schema public');
    assert.notEqual(await epochOf(url), epoch);
  });

  it('is another on a copy of its folder that recovers before it is used', async () => {
    const url = await makeDatabase(server.url);
    const epoch = await epochOf(url);
    const copy = await startPostgres({
      of: server,
      files: { 'recovery.signal': '' },
      settings: ['restore_command=false'],
    });
    try {
      const isRecovering = 'select pg_is_in_recovery() as is';
      await until('it has recovered', async () => (await asked(copy.url, isRecovering)).is === false);
      assert.notEqual(await epochOf(within(copy.url, new URL(url).pathname)), epoch);
      assert.equal(await epochOf(url), epoch);
    } finally {
      await copy.stop();
    }
  });

  it('is told by a server that keeps its own name to itself, too', async () => {
    const url = await makeDatabase(server.url);
    await epochOf(url);
    await asked(url, 'revoke execute on function pg_control_system() from public');
    await asked(url, 'create role stranger login');
    await asked(url, 'grant select, insert, update, delete on all tables in schema public to stranger');
    await asked(url, 'grant usage on schema drizzle to stranger');
    await asked(url, 'grant select on all tables in schema drizzle to stranger');
    const strangers = Object.assign(new URL(url), { username: 'stranger' }).href;
    assert.equal(await epochOf(strangers), await epochOf(strangers));
  });
});
