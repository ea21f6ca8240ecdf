/** [P-20.1] `telle import --from telle2019`: the tables of the system of 2019, in a real Postgres. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openStore } from '../../src/app.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { command } from '../support/command.ts';
import { makeDatabase, withClient } from '../support/postgres.ts';
import { inFolder } from '../support/server.ts';

const postgres = process.env.POSTGRES_URL ?? assert.fail('POSTGRES_URL is not set: run the tests with `npm test`');

const DEALER = '201900001';
const SESSION = '0f6c2b7e9d1a4c55';

const TABLES = `
  create table telle_group (id serial primary key, session_id varchar(120) not null, alive int, created timestamp, dealer_id varchar(100), dealer_name text, department varchar(50));
  create table telle_chat (id serial primary key, customer_name varchar(80), device_type varchar(80), device_detail varchar(80), session_id varchar(120) not null,
    started timestamp, duration text, lead int, handler varchar(50), dealer_id varchar(100), dealer_name text, department varchar(50), alive int, missed varchar(10));
  create table telle_message (id serial primary key, customer_name varchar(80), dealer_id varchar(100), dealer_name text, session_id varchar(120) not null,
    direction varchar(20) not null, message text, dialogflow_resp text, is_read int, from_bot int, message_owner varchar(80), created_time timestamp not null);
  create table telle_lead (id serial primary key, dealer_id varchar(100), customer_name varchar(80), created timestamp, session_id varchar(120), email varchar(50), phone varchar(50),
    notes_offer text, appointment timestamp, department varchar(50), handler varchar(50), priority int, status varchar(20));
  create table telle_webuser (id serial primary key, session_id varchar(120) not null, ip_addr varchar(100), city varchar(50), state varchar(50), device_type varchar(80),
    device_detail varchar(80), created timestamp, dealer_id varchar(100), dealer_name text);
  create table telle_pageview (id serial primary key, session_id varchar(120) not null, ip_addr varchar(100), created timestamp, dealer_id varchar(100), dealer_name text, bot_clicked int, page text);`;

const page = (text: string) => ({ author: 'me', type: 'text', data: { text } });
const QUESTION = [
  { text: { text: ['Hello. New or used?'] } },
  { platform: 'FACEBOOK', quickReplies: { title: 'Choose', quickReplies: ['New', 'Used'] } },
];
/** Messages as they were kept: JSON as text, one of them as text of text. */
const MESSAGES = [
  ['customer', JSON.stringify(page('hi')), '2019-09-30 19:57:02.112004'],
  ['bot', JSON.stringify(QUESTION), '2019-09-30 19:57:03'],
  ['admin', JSON.stringify(JSON.stringify(page('This is Ann.'))), '2019-09-30 19:58:00'],
  ['bot', JSON.stringify([{ payload: {} }]), '2019-09-30 19:59:00'],
] as const;

async function makeOld(): Promise<string> {
  const url = await makeDatabase(postgres);
  await withClient(url, async (client) => {
    await client.query(TABLES);
    for (const [owner, message, at] of MESSAGES)
      await client.query(
        `insert into telle_message (dealer_id, session_id, direction, message, message_owner, created_time) values ($1, $2, 'x', $3, $4, $5)`,
        [DEALER, SESSION, message, owner, at],
      );
    await client.query(`
      insert into telle_group (session_id, dealer_id, alive, created) values ('${SESSION}', '${DEALER}', 1, '2019-09-30 19:56:28');
      insert into telle_chat (session_id, dealer_id, customer_name, device_type, started) values ('${SESSION}', '${DEALER}', 'Customer', 'Desktop', '2019-09-30 19:56:28');
      insert into telle_webuser (session_id, dealer_id, ip_addr, city, created) values ('${SESSION}', '${DEALER}', '192.0.2.7', '', '2019-09-30 19:56:29');
      insert into telle_lead (session_id, dealer_id, customer_name, phone, notes_offer, created) values
        ('${SESSION}', '${DEALER}', 'Ada', null, 'call', '2019-09-30 20:00:00'), ('${SESSION}', '${DEALER}', 'Ada', '5550100', null, '2019-09-30 20:01:00');
      insert into telle_pageview (session_id, dealer_id, page, bot_clicked, created) values ('${SESSION}', '${DEALER}', 'https://cars.example/blue', 0, '2019-09-30 19:56:30'),
        ('a session', '${DEALER}', 'https://cars.example/', 0, '2019-09-30 19:56:31')`);
  });
  return url;
}

describe('telle import --from telle2019', { timeout: 120_000 }, () => {
  it('takes messages, visitors, leads and page views in the order of their times, once, and says what it cannot', () =>
    inFolder(async (folder) => {
      const DATABASE_URL = `sqlite:${join(folder, 'telle.db')}`;
      const rejected = join(folder, 'no.ndjson');
      const take = (...more: string[]) =>
        command(['import', '--from', 'telle2019', from, '--rejected', rejected, ...more], { DATABASE_URL });
      const from = await makeOld();
      await command(['migrate'], { DATABASE_URL });
      const trial = await take('--dry-run');
      assert.match(trial.stdout, /^8 would be taken, 0 are there already, 2 not understood/);
      const first = await take();
      assert.equal(first.code, 1);
      assert.match(first.stdout, /^8 taken, 0 are there already, 2 not understood/);
      const reasons = readFileSync(rejected, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.deepEqual(
        reasons.map(({ line, reason }) => [line, reason.split(':')[0]]),
        [
          ['telle_pageview 2', 'groupId'],
          ['telle_message 4', 'message'],
        ],
      );
      assert.match((await take()).stdout, /^0 taken, 8 are there already, 2 not understood/);
      const store = openStore(readSettings({ DATABASE_URL }));
      const said = await store.events(DEALER, SESSION, { limit: 10 });
      const desk = await store.events(DEALER, '@desk', { limit: 10 });
      const [lead] = await store.records('leads', DEALER, { limit: 1 });
      const [user] = await store.records('users', DEALER, { limit: 1 });
      await store.close();
      assert.deepEqual(
        said.map(({ seq, at, payload }) => {
          const { user: who, adminId, message } = JSON.parse(payload);
          return [seq, new Date(at).toISOString(), who, adminId, message];
        }),
        [
          [1, '2019-09-30T19:57:02.112Z', 'customer', undefined, 'hi'],
          [2, '2019-09-30T19:57:03.000Z', 'bot', undefined, 'Hello. New or used?\nChoose\nNew\nUsed'],
          [3, '2019-09-30T19:58:00.000Z', 'admin', 'telle2019', 'This is Ann.'],
        ],
      );
      assert.deepEqual(
        desk.map(({ type }) => type),
        ['UPDATE_USER', 'UPDATE_USER', 'UPDATE_PAGEVIEW', 'UPDATE_LEAD', 'UPDATE_LEAD'],
      );
      assert.deepEqual(lead?.fields, { name: 'Ada', comments: 'call', phone: '5550100' });
      assert.deepEqual(user?.fields, { device_type: 'Desktop', ip_addr: '192.0.2.7' });
    }));

  it('is refused with a way out where there are no such tables, no Postgres, or nobody answers', () =>
    inFolder(async (folder) => {
      const DATABASE_URL = `sqlite:${join(folder, 'telle.db')}`;
      const rejected = join(folder, 'no.ndjson');
      await command(['migrate'], { DATABASE_URL });
      for (const [url, code, sentence] of [
        [await makeDatabase(postgres), 2, /^telle: postgres:\S+ has none of telle_message, telle_chat/],
        ['past.ndjson', 2, /^telle: <file> is not as it must be/],
        [DATABASE_URL, 2, /^telle: with --from, <file> must be postgres:/],
        ['postgres://u:hunter2@127.0.0.1:1/old', 1, /^telle: postgres:\S+ does not answer: .*ECONNREFUSED/],
      ] as const) {
        const ended = await command(['import', '--from', 'telle2019', url, '--rejected', rejected], { DATABASE_URL });
        assert.equal(ended.code, code, ended.stderr);
        assert.match(ended.stderr, sentence);
        assert.doesNotMatch(ended.stderr, /hunter2/);
      }
      assert.ok(!existsSync(rejected));
      assert.equal((await command(['import', '--from', 'telle2018', 'x'], { DATABASE_URL })).code, 2);
    }));
});
