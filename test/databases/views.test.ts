/** The views for people who open the database: the same question has the same answer on both. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { DATABASES, openDatabase, type TestDatabase } from '../support/database.ts';
import { withClient } from '../support/postgres.ts';
import { ODD_TEXT } from '../support/rows.ts';
import { startServer, type TestServer } from '../support/server.ts';

type Row = Record<string, unknown>;

async function ask({ url }: TestDatabase, question: string): Promise<Row[]> {
  if (!url.startsWith('sqlite:')) return (await withClient(url, (client) => client.query<Row>(question))).rows;
  const client = new Database(url.slice('sqlite:'.length), { readonly: true });
  try {
    return client.prepare<[], Row>(question).all();
  } finally {
    client.close();
  }
}

/** Two conversations with pages that were seen, and what everybody of the dealer was told. */
async function fill(server: TestServer): Promise<void> {
  const crm = await server.server();
  const say = (type: string, groupId: string, message: unknown, more: object = {}) =>
    crm.ask('event', { type, groupId, message, ...more });
  await say('UPDATE_MSG', 'g1', 'Is "Ann" there?', { user: 'customer' });
  await say('UPDATE_MSG', 'g1', 'Ann is: C:\\u0000', { user: 'admin', adminId: 'a1' });
  await say('UPDATE_MSG', 'g2', ODD_TEXT, { user: 'customer' });
  await say('UPDATE_PAGEVIEW', 'g1', { url: 'https://cars.example/1', title: 'One \\ "1"', vin: 'V' });
  await say('UPDATE_PAGEVIEW', 'g2', { url: 'https://cars.example/1' });
  await say('UPDATE_PAGEVIEW', 'g2', { url: `https://cars.example/2?${ODD_TEXT}`, title: ODD_TEXT });
  await crm.ask('event', { type: 'SYS_MSG', adminId: 'a1', message: 'We close at "six".' });
}

/** A question, and its answer on each database. */
const ASKED: readonly (readonly [about: string, question: string, answer: readonly Row[]])[] = [
  [
    'a word of what was written',
    "select group_id, message from messages where message like '%Ann%' order by seq",
    [
      { group_id: 'g1', message: 'Is "Ann" there?' },
      { group_id: 'g1', message: 'Ann is: C:\\u0000' },
    ],
  ],
  [
    'who wrote how much',
    'select "user", admin_id, cast(count(*) as integer) as n from messages group by "user", admin_id order by n',
    [
      { user: 'admin', admin_id: 'a1', n: 1 },
      { user: 'customer', admin_id: null, n: 2 },
    ],
  ],
  [
    'pages by how often they were seen',
    "select url, cast(count(*) as integer) as n from pageviews where url not like '%?%' group by url",
    [{ url: 'https://cars.example/1', n: 2 }],
  ],
  [
    'all that is known of a page',
    "select title, message from pageviews where group_id = 'g1'",
    [{ title: 'One \\ "1"', message: '{"url":"https://cars.example/1","title":"One \\\\ \\"1\\"","vin":"V"}' }],
  ],
  ['a page without a title', 'select cast(count(*) as integer) as n from pageviews where title is null', [{ n: 1 }]],
  [
    'what everybody was told',
    'select admin_id, message from announcements where message like \'%"six"%\'',
    [{ admin_id: 'a1', message: 'We close at "six".' }],
  ],
  [
    'a text that holds what is no character, beside the others',
    `select (select cast(count(*) as integer) from messages where message like '"double"%') as messages,
      (select cast(count(*) as integer) from pageviews where title like '"double"%' and url like '%"double"%') as pages`,
    [{ messages: 1, pages: 1 }],
  ],
];

for (const kind of DATABASES) {
  describe(`the views for people, on ${kind}`, { timeout: 60_000 }, () => {
    let database: TestDatabase;
    before(async () => {
      database = await openDatabase(kind);
      const server = await startServer({ settings: { DATABASE_URL: database.url } });
      await fill(server);
      await server.close();
    });
    after(() => database.close());

    for (const [about, question, answer] of ASKED)
      it(`answer as on the other database: ${about}`, async () =>
        assert.deepEqual(
          (await ask(database, question)).map((row) => ({ ...row })),
          answer,
        ));
  });
}
