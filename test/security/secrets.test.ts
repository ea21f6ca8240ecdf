/**
 * Secrets stay secret: a server that logs all that it can goes through a busy day, good and bad, and its whole log is
 * read. No token, no secret, no word and no name of anybody may stand in it.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import Sqlite from 'better-sqlite3';
import { Redis } from 'ioredis';
import { shownDatabase } from '../../schemas/settings.ts';
import { SENDS } from '../../schemas/table.ts';
import { readSecrets } from '../../src/cli/secrets.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { Attacker, joinOf, type Party } from '../support/attacker.ts';
import { openDatabase, type TestDatabase } from '../support/database.ts';
import { overriding } from '../support/faulty-store.ts';
import { expired, forgeries, genuine } from '../support/forge.ts';
import { LogSink } from '../support/log.ts';
import { startProcess, telle } from '../support/process.ts';
import { rawHttp } from '../support/raw-http.ts';
import { handshake, openingText } from '../support/raw-socket.ts';
import { type Route, withRoutes } from '../support/routes.ts';
import { sampleOf, textPathsOf, withAt } from '../support/samples.ts';
import { inFolder, SECRET, startServer, type TestServer } from '../support/server.ts';
import { chance, Tally } from '../support/tally.ts';
import { until } from '../support/until.ts';

const redisUrl = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set: run the tests with `npm test`');

/** What everything of a customer's holds, and the log must not. */
const CANARY = 'cnry9b2e';
const TEXT = `${CANARY} my words, my e-mail ${CANARY}@mail.example, my number +1 555 ${CANARY}`;
/** Dealers' backends do name groups so. */
const GROUP = `${CANARY}@mail.example`;
/** What the names of agents and servers hold: the audit says who did what, and nothing else of the log does. */
const AGENT = 'agnt7k1p';
const DEALER = 'd';
const exp = Math.floor(Date.now() / 1000) + 3600;
const PARTIES: readonly Party[] = [
  { role: 'customer', dealer: DEALER, sub: GROUP, exp },
  { role: 'admin', dealer: DEALER, sub: `admin-${AGENT}`, exp },
  { role: 'server', dealer: DEALER, sub: `crm-${AGENT}`, exp },
];
const OPERATOR: Party = { role: 'server', dealer: '*', sub: 'operator', exp };

/** What a driver's wrapper says when a query fails: the query, and all that it was given. */
const queryFailed = () =>
  new Error(`Failed query: insert into "events" values (?)\nparams: ${TEXT}`, { cause: new Error('disk I/O error') });

describe('Secrets', { timeout: 60_000 }, () => {
  const tally = new Tally('Secrets');
  after(() => tally.print());

  describe('in the log of a busy day', () => {
    const log = new LogSink();
    const prefix = `${randomUUID()}:`;
    const tokens: string[] = [genuine(OPERATOR), expired(OPERATOR)];
    let db: TestDatabase;
    let server: TestServer;
    let routes: Route[] = [];
    let at = '';
    let isAway = false;
    let done = 0;

    before(async () => {
      db = await openDatabase('SQLite');
      const failing = () => (isAway ? Promise.reject(queryFailed()) : null);
      const made = await withRoutes(() =>
        startServer({
          settings: {
            DATABASE_URL: db.url,
            LOG_LEVEL: 'trace',
            REDIS_URL: redisUrl,
            REDIS_PREFIX: prefix,
          },
          timing: { presenceGrace: 0, closeTimeout: 50 },
          logTo: log,
          wrapStore: (store) =>
            overriding(store, {
              commit: (...args) => failing() ?? store.commit(...args),
              standing: (...args) => failing() ?? store.standing(...args),
              events: (...args) => failing() ?? store.events(...args),
              check: () => failing() ?? store.check(),
              dealer: (...args) => failing() ?? store.dealer(...args),
            }),
        }),
      );
      server = made.built;
      routes = made.routes;
      at = await server.listen();
      await server.store.putDealer(DEALER, { origins: ['*'] });
      for (const who of PARTIES) {
        const forged = await forgeries(who, 'http://127.0.0.1:1/', chance());
        tokens.push(
          genuine(who),
          expired(who),
          ...forged.map(({ token }) => token).filter((token) => token.length < 8000),
        );
      }
    });
    after(async () => {
      await server?.close();
      await db?.close();
    });

    /** Sends everything that a party may send, and as much that it may not, with the canary in every text. */
    async function talk(who: Party): Promise<void> {
      const attacker = new Attacker(server, at, who);
      for (const [channel, schemas] of Object.values(SENDS).flatMap((channels) => Object.entries(channels))) {
        const sends = schemas.map((schema) => {
          const own = {
            dealerId: DEALER,
            groupId: GROUP,
            adminId: who.sub,
            user: schema.properties.user?.const ?? 'admin',
          };
          const payload = textPathsOf(schema).reduce<unknown>(
            (value, path) => withAt(value, path, TEXT),
            sampleOf(schema, own),
          );
          const { user: _, ...withoutUser } = Object(payload);
          return { channel, payload: who.role === 'server' ? payload : withoutUser };
        });
        const wrong = {
          channel,
          payload: { type: TEXT, groupId: TEXT, message: { [TEXT]: TEXT }, token: genuine(who) },
        };
        // Each on a socket of its own: bad frames are counted, and so are frames.
        const fresh = new Attacker(server, at, who);
        done += (await fresh.askAll([...sends, wrong])).length;
      }
      await (await attacker.joined()).close();
    }

    /** Brings a token to every door, in every place where somebody may think that it belongs. */
    async function knock(token: string): Promise<void> {
      const ascii = encodeURIComponent(token);
      const header = /^[!-~]+$/.test(token) ? token : ascii;
      for (const who of PARTIES) {
        const client = await server.dial(at);
        const { channel, payload } = joinOf(who, token, { since: { [GROUP]: 0 } });
        await client.ask(channel, payload);
        await client.ask('refresh', { token }).catch(() => {}); // the join may have closed it
        client.socket.terminate();
      }
      // The answer of a stream does not end.
      for (const { method, url } of routes.filter((route) => route.method !== 'HEAD' && route.url !== '/stream')) {
        const path = url.replace(/:\w+|\*/g, encodeURIComponent(GROUP));
        const headers = { authorization: `Bearer ${header}`, cookie: `token=${header}`, 'x-token': header };
        await rawHttp(at, { method, path: `${path}?token=${ascii}&text=${CANARY}`, headers }).catch(() => {});
        done += 1;
      }
    }

    /** What no client sends: bytes that are no HTTP, upgrades that are none, frames that break off. */
    async function babble(): Promise<void> {
      const token = genuine(OPERATOR);
      for (const text of [
        `${token} ${TEXT}\r\n\r\n`,
        `GET /${token} HTTP/9.9\r\n\r\n`,
        `GET / HTTP/1.1\r\n${TEXT}\r\n\r\n`,
      ]) {
        const [host = '', port] = at.split(':');
        const socket = connect(Number(port), host);
        socket.on('error', () => {});
        socket.end(text);
        socket.resume();
        await new Promise((resolve) => socket.once('close', resolve));
      }
      for (const lines of [
        { 'Sec-WebSocket-Protocol': `telle.v1, ${token}` },
        { 'Sec-WebSocket-Protocol': token },
        { 'Sec-WebSocket-Key': token },
        { Cookie: `token=${token}`, Origin: `https://${CANARY}.example` },
      ]) {
        (await handshake(at, openingText(lines, `GET /ws?token=${token}&groupId=${GROUP} HTTP/1.1`))).socket.destroy();
      }
      const client = await server.dial(at);
      for (const text of [TEXT, `{"channel":"${TEXT}","payload":{"token":"${token}"}}`, `["${TEXT}"]`, `{"${TEXT}":`]) {
        client.socket.send(text);
      }
      client.socket.send(Buffer.from(TEXT));
      await client.closed;
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      for (const body of [`{"token":"${token}","text":"${TEXT}`, TEXT, `[${JSON.stringify(TEXT)}]`]) {
        await fetch(`http://${at}/v1/events`, { method: 'POST', headers, body });
        await fetch(`http://${at}/v1/dealers/${GROUP}`, { method: 'PUT', headers, body });
      }
      done += 15;
    }

    /** What other servers say over Redis, well and badly. */
    async function publish(): Promise<void> {
      const redis = new Redis(redisUrl);
      redis.on('error', () => {});
      const good = { type: 'UPDATE_MSG', dealerId: DEALER, groupId: GROUP, user: 'customer', message: TEXT };
      const letters = [
        TEXT,
        JSON.stringify({ ...good, type: TEXT }),
        JSON.stringify({ ...good, message: 7, token: genuine(OPERATOR) }),
      ];
      for (const text of [JSON.stringify(good), ...letters]) {
        await redis.xadd(`${prefix}ingress`, '*', 'event', text);
        done += 1;
      }
      await until(
        'the letters are kept',
        async () => (await server.store.deadLetters('', { limit: 10 })).length >= letters.length,
      );
      redis.disconnect();
    }

    test('no token, no secret, no word and no name stands in it', () =>
      tally.scenario('a busy day, logged at trace', async (attempt) => {
        for (const who of PARTIES) await talk(who);
        for (const token of tokens.filter((_, index) => index % 25 < 2)) await knock(token);
        await babble();
        await publish();
        isAway = true;
        for (const who of PARTIES) {
          const client = await server.dial(at);
          const { channel, payload } = joinOf(who, genuine(who));
          await client.ask(channel, payload);
          client.socket.terminate();
        }
        await knock(genuine(OPERATOR));
        // It holds its answer for a second.
        await until('it is not ready', async () => (await fetch(`http://${at}/ready`)).status === 503);
        isAway = false;
        await breakForReal();
        const records = log.records();
        const said = new Set(records.map(({ msg }) => msg));
        await attempt(`enough was done: ${done} things, ${records.length} lines`, () => {
          assert.ok(done > 300 && records.length > 200);
          for (const msg of ['request', 'socket closed', 'the database failed to commit', 'not ready']) {
            assert.ok(said.has(msg), `${msg} is not among ${[...said].join(', ')}`);
          }
        });
        await attempt('any of it', () => assertKept(log.text));
        for (const record of records) {
          await attempt(String(record.msg), () => {
            const text = JSON.stringify(record);
            assertKept(text);
            assert.ok(record.stream === 'audit' || !text.includes(AGENT), `${AGENT}: ${around(text, AGENT)}`);
          });
        }
      }));

    /** The database loses a table, as it does where somebody restores half of a backup. */
    async function breakForReal(): Promise<void> {
      const client = new Sqlite(db.url.replace('sqlite:', ''));
      const crm = new Attacker(server, at, { ...OPERATOR, dealer: DEALER });
      await crm.joined();
      client.exec('alter table events rename to lost');
      const message = { type: 'UPDATE_MSG', groupId: GROUP, user: 'customer', message: TEXT };
      const answers = await crm.askAll([{ channel: 'event', payload: message }]);
      assert.equal(answers[0]?.answer.code, 'unavailable');
      assertKept(JSON.stringify(answers));
      client.exec('alter table lost rename to events');
      client.close();
    }

    /** That a text holds none of what was to be kept. */
    function assertKept(text: string): void {
      assert.ok(!text.includes(CANARY), `${CANARY}: ${around(text, CANARY)}`);
      assert.ok(!text.includes(encodeURIComponent('@mail')), around(text, encodeURIComponent('@mail')));
      assert.ok(!text.includes(SECRET) && !text.includes(Buffer.from(SECRET).toString('base64url')), 'the secret');
      assert.doesNotMatch(text, /eyJ[\w-]{10,}/, 'a token');
      for (const part of new Set(tokens.flatMap((token) => token.split('.').slice(2)))) {
        assert.ok(part.length < 20 || !text.includes(part), `a signature: ${around(text, part)}`);
      }
    }
  });

  test('telle serve in production prints no secret and no token, on stdout or stderr', () =>
    tally.scenario('telle serve, NODE_ENV=production, LOG_LEVEL=trace', (attempt) =>
      inFolder(async (cwd) => {
        const secret = `${CANARY}-secret-long-enough-to-be-one`;
        const env = { NODE_ENV: 'production', LOG_LEVEL: 'trace', AUTH_SECRET: `${secret},another-${secret}` };
        const served = await startProcess({ cwd, env });
        await rawHttp(served.http.slice('http://'.length), { path: `/v1/dealers?token=${CANARY}` });
        await served.kill('SIGTERM');
        await attempt('the secret', () => assert.ok(!(served.stdout + served.stderr).includes(CANARY)));
        await attempt('a token on stderr', () => assert.doesNotMatch(served.stderr, /eyJ[\w-]{10,}/));
        await attempt('a token on stdout', () => assert.doesNotMatch(served.stdout, /eyJ[\w-]{10,}/));
      }),
    ));

  test('telle token prints the token and nothing else, and help and faults tell no secret', () =>
    tally.scenario('telle token, help and faults', async (attempt) => {
      const secret = `${CANARY}-secret-long-enough-to-be-one`;
      const env = { AUTH_SECRET: secret, DATABASE_URL: `postgres://telle:${CANARY}@127.0.0.1:1/telle` };
      const request = ['token', '--role', 'admin', '--dealer', 'd', '--sub', 'a'];
      const [token, help, away] = await Promise.all([
        telle(request, { env }),
        telle(['serve', '--help'], { env }),
        telle(['migrate'], { env }),
      ]);
      await attempt('a token', () => {
        assert.match(token.stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
        assert.equal(token.stderr, '');
      });
      for (const [what, { stdout, stderr }] of Object.entries({ token, help, away })) {
        await attempt(what, () => assert.ok(!(stdout + stderr).includes(CANARY), stdout + stderr));
      }
    }));

  test('a setting is shown without the password in it, wherever that stands', () =>
    tally.scenario('passwords in DATABASE_URL and REDIS_URL', async (attempt) => {
      const password = 'hunter2';
      for (const url of [
        `postgres://u:${password}@h/d`,
        `postgresql://u:${password}@h:5432/d?sslmode=require`,
        `postgres://:${password}@h/d`,
        `postgres://u:a:${password}@h/d`,
        `postgres://u:a%40${password}@h/d`,
        `postgres://u:a@${password}@h/d`,
        `postgres://u:${password}/x@h/d`,
        `postgres://h/d?user=u&password=${password}`,
        `postgres://u@h/d?password=${password}&sslmode=require`,
      ]) {
        await attempt(url, () => assert.ok(!shownDatabase({ DATABASE_URL: url }).includes(password)));
      }
      for (const [name, value] of [
        ['DATABASE_URL', `mysql://u:${password}@h/d`],
        ['DATABASE_URL', `mysql://u:a:${password}@h/d`],
        ['DATABASE_URL', `mysql://h/d?password=${password}`],
        ['REDIS_URL', `http://:${password}@h`],
        ['REDIS_URL', `redi://u:a/${password}@h`],
        ['AUTH_SECRET', ''],
      ] as const) {
        await attempt(`${name}=${value}`, () => {
          try {
            readSettings({ [name]: value });
            assert.fail('it was taken');
          } catch (error) {
            assert.ok(!String(error).includes(password), String(error));
          }
        });
      }
    }));

  test('the secret that is made is its owner’s alone to read, whatever the umask', () =>
    tally.scenario('the mode of the made secret', async (attempt) => {
      for (const mask of [0o000, 0o022, 0o077]) {
        await attempt(`umask ${mask.toString(8)}`, () =>
          inFolder(async (folder) => {
            const before = process.umask(mask);
            try {
              const [secret = ''] = readSecrets(
                readSettings({ DATABASE_URL: `sqlite:${join(folder, 'new', 'telle.db')}` }),
                { make: true },
              );
              assert.ok(secret.length >= 43, '256 bits in base64url');
              const files = readdirSync(join(folder, 'new'));
              assert.deepEqual(files, ['telle.secret']);
              assert.equal(statSync(join(folder, 'new', 'telle.secret')).mode & 0o777, 0o600);
            } finally {
              process.umask(before);
            }
          }),
        );
      }
    }));
});

/** A text's surroundings of a word. */
const around = (text: string, word: string): string => {
  const at = text.indexOf(word);
  return text.slice(Math.max(0, at - 120), at + 120);
};
