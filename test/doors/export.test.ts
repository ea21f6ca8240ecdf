/** Everything of a dealer, in one stream; and what becomes of a stream that breaks off. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask } from '../support/ask.ts';
import { overriding } from '../support/faulty-store.ts';
import { ANN, intent, lead, of, say, span } from '../support/leads.ts';
import { DEALER, startServer, type TestServer, withServer } from '../support/server.ts';

let server: TestServer;
/** The token of a server of all dealers. */
let operator: string;
before(async () => {
  server = await startServer();
  operator = await server.token('server', 'ops', { dealer: '*' });
});
after(() => server.close());

describe('GET /v1/dealers/{dealerId}/export', () => {
  const COUNT = 1100;
  const NAME = 'Ann "😀"\n\u2028';
  before(async () => {
    await server.store.putDealer('whole', { name: 'Autohaus', origins: ['https://shop.example'], retentionDays: 90 });
    const messages = span(COUNT).map((n) => ({
      ...lead('whole', 'g1', {}),
      type: 'UPDATE_MSG',
      user: 'customer',
      message: `${n}`,
    }));
    await say(server, messages.slice(0, 1000));
    await say(server, [...messages.slice(1000), lead('whole', 'g1', ANN), intent('whole', 'g1', { intent: 'buy' })]);
    await say(server, [
      { type: 'UPDATE_USER', dealerId: 'whole', groupId: 'g2', message: { name: NAME } },
      { type: 'SYS_MSG', dealerId: 'whole', adminId: 'a1', message: 'closed' },
      { type: 'UPDATE_MSG', dealerId: 'whole', groupId: 'g3', user: 'customer', message: 'forget me' },
    ]);
    assert.equal((await ask(server, of('whole', '/groups/g3'), { method: 'DELETE', token: operator })).status, 200);
  });

  test('is a line of JSON each: the dealer, all that there is of it, each event once, and a count at the end', async () => {
    const { headers, text } = await ask(server, of('whole', '/export'), { token: operator });
    assert.match(String(headers['content-type']), /^application\/x-ndjson/);
    assert.equal(headers['content-disposition'], 'attachment; filename="export.ndjson"');
    assert.equal(text.at(-1), '\n');
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const ofKind = (kind: string) => lines.filter((line) => line.kind === kind);
    const { kind, ...dealer } = lines[0];
    const settings = { name: 'Autohaus', origins: ['https://shop.example'], retentionDays: 90 };
    assert.deepEqual([kind, dealer], ['dealer', { dealerId: 'whole', ...settings }]);
    const kinds = ['group', 'user', 'lead', 'intent', 'erasure', 'event'];
    const counts = Object.fromEntries(kinds.map((each) => [each, ofKind(each).length]));
    assert.deepEqual(lines.at(-1), { kind: 'end', counts });
    assert.deepEqual(
      { ...counts, event: undefined },
      { group: 2, user: 1, lead: 1, intent: 1, erasure: 1, event: undefined },
    );
    const seqsOf = (scope: string) => ofKind('event').flatMap((event) => (event.scope === scope ? [event.seq] : []));
    assert.deepEqual(
      seqsOf('g1'),
      span(COUNT).map((n) => n + 1),
    );
    assert.deepEqual([seqsOf('@dealer'), seqsOf('g3')], [[1], []]);
    assert.equal(new Set(seqsOf('@desk')).size, seqsOf('@desk').length);
    assert.equal(ofKind('user')[0].fields.name, NAME);
    assert.equal(text.includes('forget me'), false);
  });

  const after = (place: string) =>
    ask(server, `${of('whole', '/export')}?after=${encodeURIComponent(place)}`, { token: operator });

  test('goes on behind any of its lines, or its kind and key, and counts what it then has', async () => {
    const { text } = await ask(server, of('whole', '/export'), { token: operator });
    const lines = text.trimEnd().split('\n');
    const kinds = lines.map((line) => String(JSON.parse(line).kind));
    const some = lines.flatMap((_, index) =>
      kinds[index] !== kinds[index + 1] || index % 100 === 0 || kinds[index] !== 'event' ? [index] : [],
    );
    for (const index of some.slice(1, -1)) {
      const rest = (await after(lines[index] ?? '')).text.trimEnd().split('\n');
      assert.deepEqual(rest.slice(0, -1), lines.slice(index + 1, -1), `behind line ${index}`);
      const counts: Record<string, number> = {};
      for (const kind of kinds.slice(index + 1, -1)) counts[kind] = (counts[kind] ?? 0) + 1;
      assert.deepEqual(JSON.parse(rest.at(-1) ?? ''), { kind: 'end', counts });
    }
    const event = JSON.stringify({ kind: 'event', scope: 'g1', seq: 7 });
    const [first = ''] = (await after(event)).text.split('\n');
    assert.deepEqual([JSON.parse(first).scope, JSON.parse(first).seq], ['g1', 8]);
  });

  test('goes on behind nothing else', async () => {
    const none = [
      '',
      'g1',
      '7',
      'null',
      '{"kind":"group"',
      '{"kind":"dealer","dealerId":"whole"}',
      '{"kind":"end","counts":{}}',
      '{"kind":"group"}',
      '{"kind":"group","groupId":"g\\u0000"}',
      '{"kind":"event","scope":"g1","seq":"7"}',
      '{"kind":"event","scope":"g1","seq":1e99}',
      '{"kind":"intent","createdAt":1,"groupId":"g1"}',
      '{"kind":"toString","groupId":"g1"}',
    ];
    for (const place of none) {
      const { status, text } = await after(place);
      assert.equal(status, 400, `${place}: ${text}`);
      assert.match(text, /"code":"invalid_payload"/);
      assert.match(text, /"path":"\/after"/);
    }
  });
});

describe('what breaks off', () => {
  const broken = new Error('disk I/O error');

  /** Fetches over a port, from a server whose database goes away after the first page. */
  const fetchBroken = (path: string, methods: (store: TestServer['store']) => Partial<TestServer['store']>) =>
    withServer({ wrapStore: (store) => overriding(store, methods(store)) }, async (torn) => {
      await say(
        torn,
        span(900).map((n) => lead(DEALER, `g${n}`, { name: `${n}` })),
      );
      const at = await torn.listen();
      const headers = { authorization: `Bearer ${await torn.token('admin', 'a1')}`, accept: 'text/csv' };
      const response = await fetch(`http://${at}${of(DEALER, path)}`, { headers });
      const isWhole = await response.text().then(
        () => true,
        () => false,
      );
      assert.equal((await fetch(`http://${at}/health`)).status, 200);
      return { status: response.status, isWhole };
    });

  test('is not taken for whole: a CSV of which a later page cannot be read is cut, and the server goes on', async () => {
    const outcome = await fetchBroken('/leads', (store) => ({
      recordsOfUsers: (table, dealerId, part) =>
        part.after ? Promise.reject(broken) : store.recordsOfUsers(table, dealerId, part),
    }));
    assert.deepEqual(outcome, { status: 200, isWhole: false });
  });

  test('is not taken for whole: an export of which the log cannot be read on is cut, and the server goes on', async () => {
    const outcome = await fetchBroken('/export', (store) => ({
      log: (dealerId, place, bounds) => (place ? Promise.reject(broken) : store.log(dealerId, place, bounds)),
    }));
    assert.deepEqual(outcome, { status: 200, isWhole: false });
  });
});
