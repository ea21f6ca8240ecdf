/**
 * Tenants never meet over HTTP: every route, as the server itself says which it has, is asked by everybody for what is
 * somebody else's. A route that is new is attacked as well; what it may answer to whom follows from its path.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { joinOf, type Party } from '../support/attacker.ts';
import { openDatabase, type TestDatabase } from '../support/database.ts';
import { expired, type Forgery, forgeries, genuine } from '../support/forge.ts';
import { type RawAnswer, rawHttp } from '../support/raw-http.ts';
import { type Route, withRoutes } from '../support/routes.ts';
import { sampleOf } from '../support/samples.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { chance, Tally } from '../support/tally.ts';

const exp = Math.floor(Date.now() / 1000) + 3600;
const party = (role: Party['role'], dealer: string, sub: string): Party => ({ role, dealer, sub, exp });

/** Words that stand nowhere but in what is the victim's: whoever is shown one has been shown too much. */
const CANARY = 'cnry7f3a';
const VICTIM = `${CANARY}-dealer`;
const GROUP = `${CANARY}-group`;
const MALLORY = 'mallory';
const OWNER = party('server', VICTIM, `${CANARY}-crm`);
const OPERATOR = party('server', '*', 'operator');

/** Who asks, and whose dealer it is: `outside` may see nothing of the victim's, `inside` not what is another customer's. */
const OUTSIDERS = [party('customer', MALLORY, GROUP), party('admin', MALLORY, 'ma'), party('server', MALLORY, 'ms')];
const INSIDER = party('customer', VICTIM, 'insider-group');

/** What a parameter of a path may name: something of the victim's, or nothing. */
const NAMES: Readonly<Record<string, readonly [there: string, notThere: string]>> = {
  dealerId: [VICTIM, 'nobody'],
  groupId: [GROUP, 'nobodys-group'],
  scope: [GROUP, 'nobodys-group'],
  id: [`${CANARY}-letter`, 'nobodys-letter'],
};
const OTHER_NAME = ['some', 'other'] as const;

/** [P-11.1] What needs no token, and the two documents and pages that are for everybody; [P-11.7] and signing in. */
const OPEN: ReadonlySet<string> = new Set([
  'POST /v1/sessions',
  'GET /v1/dealers/:dealerId/reception',
  'HEAD /v1/dealers/:dealerId/reception',
]);
const isOpen = ({ method, url }: Route) => !url.startsWith('/v1/') || OPEN.has(`${method} ${url}`);
/** [P-11.5] What only a server of all dealers may ask. */
const isOperators = ({ url }: Route) => /^\/v1\/(dealers(\/:dealerId)?|dead-letters(\/.*)?)$/.test(url);

/** The path of a route with a name in place of each parameter. */
const pathOf = ({ url }: Route, there: boolean, names: Readonly<Record<string, string>> = {}) =>
  url.replace(/:(\w+)|\*/g, (_, name) => encodeURIComponent(names[name] ?? (NAMES[name] ?? OTHER_NAME)[there ? 0 : 1]));

/** Bodies to be sent with a method: none, an empty one, and one that the route itself says it takes. */
function bodiesOf({ method, schema }: Route): unknown[] {
  if (method === 'GET' || method === 'HEAD') return [undefined];
  return [undefined, {}, ...(schema?.body ? [sampleOf(schema.body as Parameters<typeof sampleOf>[0])] : [])];
}

/** The longest token that fits into a header, with room for the others: Node takes 16 KiB of them. */
const MAX_HEADER = 15_000;

const REFUSED = [401, 403, 404];
const NO_ENTRY = [401];

/** What an answer says: two that must not be told apart are the same in this. */
const shown = ({ status, headers, body }: RawAnswer) => ({
  status,
  body,
  type: headers['content-type'],
  length: headers['content-length'],
});

describe('Tenants never meet, over HTTP', { timeout: 60_000 }, () => {
  const tally = new Tally('Tenants never meet, over HTTP');
  let db: TestDatabase;
  let server: TestServer;
  let routes: Route[] = [];
  let at = '';
  let trap: Server;
  let trapped = 0;
  let forged: Forgery[] = [];

  before(async () => {
    db = await openDatabase('SQLite');
    const made = await withRoutes(() => startServer({ settings: { DATABASE_URL: db.url, RATE_LIMIT: 'off' } }));
    server = made.built;
    routes = made.routes.filter(({ method, url }) => url !== '/ws' && `${method} ${url}` !== 'GET /stream');
    at = await server.listen();
    trap = createServer((_, answer) => {
      trapped += 1;
      answer.end('{"keys":[]}');
    }).listen(0, '127.0.0.1');
    await once(trap, 'listening');
    const { port } = trap.address() as AddressInfo;
    forged = await forgeries(OWNER, `http://127.0.0.1:${port}/keys`, chance());
    await furnish();
  });
  after(async () => {
    tally.print();
    trap?.close();
    await server?.close();
    await db?.close();
  });

  async function furnish(): Promise<void> {
    for (const dealer of [VICTIM, MALLORY]) await server.store.putDealer(dealer, { origins: ['*'], name: dealer });
    const record = (type: string, message: object) => ({ type, groupId: GROUP, message });
    const events = [
      { type: 'UPDATE_MSG', groupId: GROUP, user: 'customer', message: `${CANARY} is what I say` },
      { type: 'UPDATE_MSG', groupId: GROUP, user: 'admin', adminId: `${CANARY}-admin`, message: CANARY },
      record('UPDATE_USER', { name: CANARY, email: `${CANARY}@mail.example` }),
      record('UPDATE_LEAD', { status: CANARY, phone: CANARY }),
      record('CREATE_LEAD_INTENT', { intent: CANARY }),
      record('UPDATE_PAGEVIEW', { url: `https://${CANARY}.example` }),
      { type: 'UPDATE_GROUP', groupId: INSIDER.sub, online: true },
    ];
    const { status } = await ask('/v1/events', genuine(OWNER), { method: 'POST', body: events });
    assert.equal(status, 200);
    await server.store.bury([
      {
        deadLetterId: `${CANARY}-letter`,
        source: 'events',
        payload: JSON.stringify({ type: 'UPDATE_GROUP', dealerId: VICTIM, groupId: CANARY, online: true }),
        code: 'invalid_payload',
        message: CANARY,
        details: [],
        at: 1,
      },
    ]);
  }

  const ask = (path: string, token?: string, more: { method?: string; body?: unknown } = {}) =>
    rawHttp(at, { path, ...more, ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }) });

  /** That an answer shows nothing of the victim's but what the question itself said. */
  function assertNothingShown(answer: RawAnswer, asked: string): void {
    const all = `${JSON.stringify(answer.headers)}${answer.body}`;
    for (const word of all.match(new RegExp(`${CANARY}[\\w@.-]*`, 'g')) ?? []) {
      assert.ok(asked.includes(word), `it shows ${word}: ${answer.status} ${answer.body.slice(0, 200)}`);
    }
  }

  /** Asks twice, for what is there and for what is not: both refused, in the same words. */
  async function refusedAlike(route: Route, token: string | undefined, statuses: readonly number[], names = {}) {
    for (const body of bodiesOf(route)) {
      const [there, notThere] = [true, false].map((is) => pathOf(route, is, names)) as [string, string];
      const one = await ask(there, token, { method: route.method, body });
      const other = await ask(notThere, token, { method: route.method, body });
      assert.ok(statuses.includes(one.status), `${there}: ${one.status} ${one.body.slice(0, 200)}`);
      assert.deepEqual(shown(one), shown(other));
      assertNothingShown(one, there);
    }
  }

  /** That the whole database is as it was, whatever is done. */
  async function withoutTrace(
    attempt: (what: string, attack: () => unknown) => Promise<void>,
    done: () => Promise<void>,
  ) {
    const before = [await db.rowsOf(VICTIM), await db.rowsOf(MALLORY)];
    assert.ok((before[0]?.length ?? 0) > 8, 'the victim has nothing to lose');
    await done();
    await attempt('stored', async () => assert.deepEqual([await db.rowsOf(VICTIM), await db.rowsOf(MALLORY)], before));
  }

  const guarded = () => routes.filter((route) => !isOpen(route));
  const named = ({ method, url }: Route) => `${method} ${url}`;

  test('the routes are found: the contract’s, and whatever else there is', () => {
    const found = new Set(routes.map(named));
    for (const known of ['GET /health', 'POST /v1/events', 'GET /v1/dealers/:dealerId/scopes/:scope/events']) {
      assert.ok(found.has(known), known);
    }
  });

  test('no route of a tenant is open: without a token it is 401, whatever is there', () =>
    tally.scenario('every route × no token, and tokens where none belongs', async (attempt) => {
      const token = genuine(OPERATOR);
      await withoutTrace(attempt, async () => {
        for (const route of guarded()) {
          await attempt(named(route), () => refusedAlike(route, undefined, NO_ENTRY));
          for (const [where, headers, query] of [
            ['query', {}, `?token=${token}&access_token=${token}&authorization=Bearer%20${token}`],
            ['cookie', { cookie: `token=${token}; authorization=Bearer ${token}` }, ''],
            [
              'other headers',
              { 'x-authorization': `Bearer ${token}`, 'x-token': token, 'proxy-authorization': `Bearer ${token}` },
              '',
            ],
            ['basic', { authorization: `Basic ${Buffer.from(`operator:${token}`).toString('base64')}` }, ''],
            ['no scheme', { authorization: token }, ''],
            ['two tokens', { authorization: `Bearer ${token} ${token}` }, ''],
            ['two tokens with a comma', { authorization: `Bearer ${token}, Bearer ${token}` }, ''],
            ['another identity said', { 'x-dealer-id': VICTIM, 'x-role': 'admin', 'x-forwarded-user': 'admin' }, ''],
            [
              'another method said',
              { 'x-http-method-override': 'GET', 'x-original-url': '/health', 'x-rewrite-url': '/health' },
              '',
            ],
          ] as const) {
            await attempt(`${named(route)}, ${where}`, async () => {
              const path = pathOf(route, true);
              const answer = await rawHttp(at, { method: route.method, path: path + query, headers });
              assert.equal(answer.status, 401, answer.body);
              assertNothingShown(answer, path);
            });
          }
        }
      });
    }));

  test('signing in shows nothing, whatever stands in the place of a code', () =>
    tally.scenario('POST /v1/sessions × what is no code', async (attempt) => {
      const bodies = [undefined, {}, { code: '' }, { code: 7 }, { code: CANARY }, { dealerId: VICTIM, login: 'alice' }];
      const tokens = [...forged.map(({ token }) => token), genuine(OPERATOR), genuine(OWNER), genuine(INSIDER)];
      await withoutTrace(attempt, async () => {
        for (const body of [...bodies, ...tokens.map((code) => ({ code }))]) {
          await attempt(JSON.stringify(body)?.slice(0, 80) ?? 'no body', async () => {
            const answer = await ask('/v1/sessions', undefined, { method: 'POST', body });
            assert.ok([400, 401, 413].includes(answer.status), `${answer.status} ${answer.body}`);
            assertNothingShown(answer, '');
          });
        }
      });
    }));

  test('no route believes a forged token, and all are refused in the same words', () =>
    tally.scenario('every route × every forged token', async (attempt) => {
      await withoutTrace(attempt, async () => {
        for (const route of guarded()) {
          const { body: refusal } = await ask(pathOf(route, true), 'not.a.token', { method: route.method });
          for (const { what, token, signed } of forged) {
            // No header can hold it: what is longer, or of other characters, is tried over sockets.
            if (token.length > MAX_HEADER || /[^ -~]/.test(token)) continue;
            await attempt(`${named(route)}, ${what}`, async () => {
              const path = pathOf(route, true);
              const answer = await ask(path, token, { method: route.method });
              assert.equal(answer.status, 401, answer.body);
              if (route.method !== 'HEAD') assert.equal(JSON.parse(answer.body).code, 'unauthorized');
              if (!signed && /^[\w.-]+$/.test(token)) assert.equal(answer.body, refusal);
              assertNothingShown(answer, path);
            });
          }
          await attempt(`${named(route)}, expired`, () => refusedAlike(route, expired(OPERATOR), NO_ENTRY));
        }
      });
      await attempt('a key fetched from where the forger says', () => assert.equal(trapped, 0));
    }));

  test('another dealer’s people are refused, in the same words whether it is there or not', () =>
    tally.scenario('every route × everybody of another dealer', async (attempt) => {
      await withoutTrace(attempt, async () => {
        for (const route of guarded().filter((each) => each.url.includes(':dealerId') || isOperators(each))) {
          for (const who of OUTSIDERS) {
            await attempt(`${named(route)}, ${who.role}`, () => refusedAlike(route, genuine(who), REFUSED));
          }
        }
        // What names no dealer in its path is of the token's own dealer.
        for (const route of guarded().filter((each) => !each.url.includes(':dealerId') && !isOperators(each))) {
          for (const [who, body] of OUTSIDERS.flatMap((each) => bodiesOf(route).map((one) => [each, one] as const))) {
            await attempt(`${named(route)}, ${who.role}`, async () => {
              const path = pathOf(route, true);
              assertNothingShown(await ask(path, genuine(who), { method: route.method, body }), path);
            });
          }
        }
      });
    }));

  test('the operator’s routes are nobody else’s, be they of the dealer or not', () =>
    tally.scenario("the operator's routes × everybody of the dealer", async (attempt) => {
      await withoutTrace(attempt, async () => {
        for (const route of routes.filter(isOperators)) {
          for (const who of [INSIDER, party('admin', VICTIM, 'a1'), OWNER]) {
            await attempt(`${named(route)}, ${who.role}`, () => refusedAlike(route, genuine(who), [403]));
          }
        }
      });
    }));

  test('a customer is shown nothing of another customer’s, nor of the desk’s', () =>
    tally.scenario('every route × a customer of the dealer', async (attempt) => {
      await withoutTrace(attempt, async () => {
        const inside = { dealerId: VICTIM };
        for (const route of guarded().filter(({ url }) => url.includes(':dealerId'))) {
          const statuses = [403, 404];
          await attempt(named(route), () => refusedAlike(route, genuine(INSIDER), statuses, inside));
          for (const scope of ['@desk', '@other', GROUP.toUpperCase(), `${GROUP} `, `${GROUP}\0`, '%40desk']) {
            await attempt(`${named(route)} ${scope}`, async () => {
              const path = pathOf(route, true, { ...inside, scope, groupId: scope });
              const answer = await ask(path, genuine(INSIDER), { method: route.method });
              assert.ok([400, ...statuses].includes(answer.status), `${answer.status} ${answer.body}`);
              assertNothingShown(answer, decodeURIComponent(path));
            });
          }
        }
      });
      const own = await ask(`/v1/dealers/${VICTIM}/scopes/${INSIDER.sub}/events`, genuine(INSIDER));
      await attempt('control: its own it is shown', () => assert.equal(own.status, 200));
    }));

  test('a path that is written strangely leads nowhere else', () =>
    tally.scenario('strange paths × everybody of another dealer', async (attempt) => {
      const log = `${VICTIM}/scopes/${GROUP}/events`;
      const paths = [
        `/v1/dealers/${MALLORY}/../${log}`,
        `/v1/dealers/${MALLORY}/%2e%2e/${log}`,
        `/v1/dealers/${MALLORY}%2f..%2f${log}`,
        `/v1/dealers/${MALLORY}%00/${log}`,
        `/v1/dealers/${MALLORY};${log}`,
        `/v1/dealers/${MALLORY}/scopes/..%2f..%2f${VICTIM}%2fscopes%2f${GROUP}/events`,
        `/v1/dealers/${MALLORY}/scopes/${GROUP}/events?dealerId=${VICTIM}&dealer=${VICTIM}`,
        `/v1/dealers/${MALLORY}/scopes/${GROUP}/events?scope=${GROUP}&params[dealerId]=${VICTIM}`,
        `/v1//dealers/${log}`,
        `//v1/dealers/${log}`,
        `/V1/Dealers/${log}`,
        `/v1/dealers/${log}/`,
        `/v1/dealers/${log}%20`,
        `/v1/dealers/${log}#`,
        `/v1/dealers/${log}?`,
        `/%76%31/dealers/${log}`,
        `/v1/dealers/%2563nry7f3a-dealer/scopes/${GROUP}/events`,
        `http://127.0.0.1/v1/dealers/${log}`,
        '/v1/dealers/%',
        '/v1/dealers/%ff%fe',
        '/v1/dealers/..',
        `/v1/dealers/${VICTIM}%0d%0aX-Injected:%20yes`,
      ];
      for (const [path, who] of paths.flatMap((each) => OUTSIDERS.map((one) => [each, one] as const))) {
        await attempt(`${path} ${who.role}`, async () => {
          const answer = await ask(path, genuine(who));
          assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.body}`);
          assert.equal(answer.headers['x-injected'], undefined);
          assertNothingShown(answer, decodedOf(path));
        });
      }
    }));

  test('what is open to everybody shows nothing of any tenant', () =>
    tally.scenario('open routes: nothing of a tenant', async (attempt) => {
      const socket = await server.dial(at);
      const { channel, payload } = joinOf(INSIDER, genuine(INSIDER));
      await socket.ask(channel, payload);
      const paths = routes.filter(isOpen).map((route) => [route.method, pathOf(route, false)] as const);
      for (const [method, path] of [...paths, ['GET', '/'], ['GET', '/v1'], ['GET', '/ws']] as const) {
        await attempt(`${method} ${path}`, async () => {
          assertNothingShown(await ask(path, undefined, { method }), path);
        });
      }
      await socket.close();
    }));

  test('the owner is shown all of it', () =>
    tally.scenario('control: the owner is shown what is there', async (attempt) => {
      for (const who of [OWNER, party('admin', VICTIM, 'a1'), OPERATOR]) {
        await attempt(who.role, async () => {
          const { status, body } = await ask(`/v1/dealers/${VICTIM}/scopes/${GROUP}/events`, genuine(who));
          assert.deepEqual([status, body.includes(`${CANARY} is what I say`)], [200, true]);
        });
      }
    }));
});

function decodedOf(path: string): string {
  try {
    return decodeURIComponent(decodeURIComponent(path));
  } catch {
    return path;
  }
}
