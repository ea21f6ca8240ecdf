/** [P-4] Tokens: nobody joins with one that was forged, has ended, or is for something else; nor stays with one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { joinOf, type Party } from '../support/attacker.ts';
import type { Client } from '../support/client.ts';
import { openDatabase, type TestDatabase } from '../support/database.ts';
import { expired, type Forgery, forgeries, genuine, sign, signedWith } from '../support/forge.ts';
import { SECRET, startServer, type TestServer, withServer } from '../support/server.ts';
import { chance, Tally } from '../support/tally.ts';

const DEALER = 'victim';
const exp = Math.floor(Date.now() / 1000) + 3600;
const PARTIES: readonly Party[] = [
  { role: 'customer', dealer: DEALER, sub: 'g1', exp },
  { role: 'admin', dealer: DEALER, sub: 'a1', exp },
  { role: 'server', dealer: DEALER, sub: 's1', exp },
  { role: 'server', dealer: '*', sub: 'all', exp },
];
const [CUSTOMER, ADMIN, SERVER, ALL] = PARTIES as [Party, Party, Party, Party];
const MEGABYTE = 1_048_576;

const unauthorized = { code: 'unauthorized', close: 4401 };
const nameOf = ({ role, dealer }: Party) => (dealer === '*' ? 'server of all' : role);

describe('Tokens', { timeout: 60_000 }, () => {
  const tally = new Tally('Tokens');
  const draw = chance();
  let db: TestDatabase;
  let server: TestServer;
  let at = '';
  let trapUrl = '';
  let trapped = 0;
  const trap = createServer((_, answer) => {
    trapped += 1;
    answer.end('{"keys":[]}');
  });
  let witness: Client;

  before(async () => {
    db = await openDatabase('SQLite');
    // A frame must hold a token of a megabyte.
    const settings = { DATABASE_URL: db.url, RATE_LIMIT: 'off', MAX_FRAME_BYTES: String(MEGABYTE) };
    server = await startServer({ settings, timing: { presenceGrace: 60_000, closeTimeout: 50 } });
    at = await server.listen();
    await server.store.putDealer(DEALER, { origins: ['*'] });
    trap.listen(0, '127.0.0.1');
    await once(trap, 'listening');
    trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/keys`;
    for (const who of [CUSTOMER, ADMIN]) await (await joined(who)).close();
    witness = await joined(SERVER);
  });
  after(async () => {
    tally.print();
    trap.close();
    await server?.close();
    await db?.close();
  });

  async function joined(who: Party): Promise<Client> {
    const client = await server.dial(at);
    const { channel, payload } = joinOf(who, genuine(who));
    assert.equal((await client.ask(channel, payload)).channel, 'ack');
    return client;
  }

  /** How a join is answered: the error and the close that follows it, or that it was let in. */
  async function outcomeOf(who: Party, token: string | undefined, headers: Record<string, string> = {}) {
    const client = await server.dial(at, { headers });
    const { channel, payload } = joinOf(who, token);
    const { code, message } = await client.ask(channel, payload);
    if (code === undefined) {
      await client.close();
      return { code: 'let in', close: 0, message: '', frames: client.frames.length };
    }
    return { code, close: await client.closed, message, frames: client.frames.length };
  }

  async function assertRefused(who: Party, token: string | undefined, headers?: Record<string, string>) {
    const { code, close, frames } = await outcomeOf(who, token, headers);
    assert.deepEqual({ code, close, frames }, { ...unauthorized, frames: 1 });
  }

  /** That nobody is let in, nothing is stored, and nobody at the dealer hears of it. */
  async function withoutTrace(
    attempt: (what: string, attack: () => unknown) => Promise<void>,
    done: () => Promise<void>,
  ) {
    const [rows, heard] = [await db.rowsOf(DEALER), witness.frames.length];
    assert.ok(rows.length > 0);
    await done();
    await witness.settled();
    await attempt('stored', async () => assert.deepEqual(await db.rowsOf(DEALER), rows));
    await attempt('delivered', () => assert.equal(witness.frames.length, heard + 1));
  }

  for (const who of PARTIES) {
    test(`a ${nameOf(who)} does not join with a forged token`, () =>
      tally.scenario(`join as ${nameOf(who)} × every forged token`, async (attempt) => {
        const forged = await forgeries(who, trapUrl, draw);
        await withoutTrace(attempt, async () => {
          const messages = new Set<string>();
          for (const { what, token, signed } of forged) {
            await attempt(what, async () => {
              const { message, ...outcome } = await outcomeOf(who, token);
              assert.deepEqual(outcome, { ...unauthorized, frames: 1 });
              if (!signed) messages.add(message);
            });
          }
          // What is wrong with a signature is nobody's business.
          await attempt('told apart by the answer', () => assert.equal(messages.size, 1, [...messages].join()));
          await attempt('expired', async () => {
            const { code, close } = await outcomeOf(who, expired(who));
            assert.deepEqual({ code, close }, { code: 'token_expired', close: 4401 });
          });
          await attempt('expired, and forged', () => assertRefused(who, `${expired(who).slice(0, -4)}AAAA`));
        });
        await attempt('a key fetched from where the forger says', () => assert.equal(trapped, 0));
        await attempt('control: the genuine one', async () => {
          assert.equal((await outcomeOf(who, genuine(who))).code, 'let in');
        });
      }));
  }

  test('`exp` is in whole seconds: a fraction is refused', () =>
    tally.scenario('join × an exp with a fraction', async (attempt) => {
      for (const who of PARTIES) {
        await attempt(nameOf(who), () => assertRefused(who, genuine({ ...who, exp: exp + 0.5 })));
      }
    }));

  test('a genuine token is for one role, one dealer and one name', () =>
    tally.scenario('join × every genuine token for something else', async (attempt) => {
      await withoutTrace(attempt, async () => {
        const others: readonly Party[] = [
          ...PARTIES,
          ...PARTIES.map((who) => ({ ...who, sub: `${who.sub}x` })),
          ...PARTIES.filter(({ dealer }) => dealer !== '*').map((who) => ({ ...who, dealer: 'elsewhere' })),
          ...PARTIES.filter(({ dealer }) => dealer !== '*').map((who) => ({ ...who, dealer: DEALER.toUpperCase() })),
        ];
        for (const [who, other] of PARTIES.flatMap((each) => others.map((one) => [each, one] as const))) {
          // A server's name is what its token says; one of all dealers may join each of them.
          const isServers = who.role === 'server' && other.role === 'server';
          if (who === other || (isServers && (other.dealer === who.dealer || other.dealer === '*'))) continue;
          await attempt(`${nameOf(other)} ${other.dealer} ${other.sub} as ${nameOf(who)} ${who.sub}`, () =>
            assertRefused(who, genuine(other)),
          );
        }
        const twice = JSON.stringify(ADMIN).replace('}', ',"dealer":"elsewhere"}');
        await attempt('the dealer twice in its claims', () => assertRefused(ADMIN, sign({ alg: 'HS256' }, twice)));
      });
    }));

  test('a token counts where it belongs, and nowhere else', () =>
    tally.scenario('join × tokens in every other place', async (attempt) => {
      const token = genuine(ADMIN);
      await withoutTrace(attempt, async () => {
        for (const [what, headers] of [
          ['Basic', { authorization: `Basic ${Buffer.from(`a1:${token}`).toString('base64')}` }],
          ['no scheme', { authorization: token }],
          ['two tokens', { authorization: `Bearer ${token} ${token}` }],
          ['a cookie', { cookie: `token=${token}` }],
          ['another header', { 'x-authorization': `Bearer ${token}` }],
        ] as const) {
          await attempt(what, () => assertRefused(ADMIN, undefined, headers));
        }
        await attempt('the header of a forger', async () => {
          for (const { token: forged } of (await forgeries(ADMIN, trapUrl, draw)).filter(fitsInHeader)) {
            await assertRefused(ADMIN, undefined, { authorization: `Bearer ${forged}` });
          }
        });
        await attempt('a bad one in the payload, a good one in the header', () =>
          assertRefused(ADMIN, 'not.a.token', { authorization: `Bearer ${token}` }),
        );
        await attempt('an empty one in the payload, a good one in the header', () =>
          assertRefused(ADMIN, '', { authorization: `Bearer ${token}` }),
        );
        for (const query of [`?token=${token}`, `?access_token=${token}`, `?authorization=Bearer%20${token}`]) {
          await attempt(`the query ${query.slice(0, 12)}`, async () => {
            const client = await server.connect({ query });
            const { channel, payload } = joinOf(ADMIN, undefined);
            assert.equal((await client.ask(channel, payload)).code, 'unauthorized');
          });
        }
        for (const token of [null, 7, true, ['x'], { token: 'x' }]) {
          await attempt(`${JSON.stringify(token)} in the payload`, async () => {
            const client = await server.dial(at);
            const { channel, payload } = joinOf(ADMIN, undefined, { token });
            assert.equal((await client.ask(channel, payload)).code, 'invalid_payload');
          });
        }
      });
    }));

  test('no socket stays by a forged token, nor becomes somebody else by a genuine one', () =>
    tally.scenario('refresh × every forged token, and those of others', async (attempt) => {
      // A customer and an admin who are told to have gone would be a trace: they stay.
      const stay = [await joined(CUSTOMER), await joined(ADMIN)];
      for (const who of PARTIES) {
        const others = PARTIES.filter((other) => other !== who).map((other) => genuine(other));
        // They are opened by the same hand for all.
        const wrong = who === ADMIN ? (await forgeries(who, trapUrl, draw)).filter(isForgedByHand) : [];
        for (const token of [...others, genuine({ ...who, sub: 'x' }), ...wrong.map((each) => each.token)]) {
          await attempt(`${nameOf(who)} ${token.slice(0, 60)}`, async () => {
            const client = await joined(who);
            const { code } = await client.ask('refresh', { token });
            assert.deepEqual({ code, close: await client.closed }, unauthorized);
          });
        }
      }
      await Promise.all(stay.map((client) => client.settled()));
    }));

  test('a secret that is revoked opens nothing, and one that is listed all', () =>
    tally.scenario('rotation: a revoked secret', async (attempt) => {
      const [old, recent] = ['the secret of last year, long enough', 'the secret of this year, long enough'];
      for (const [secrets, believed] of [
        [[recent, old], true],
        [[recent], false],
      ] as const) {
        await withServer({ secrets, timing: { closeTimeout: 50 } }, async (rotated) => {
          await rotated.store.putDealer(DEALER, { origins: ['*'] });
          for (const who of PARTIES) {
            await attempt(`${nameOf(who)}, ${believed ? 'listed' : 'revoked'}`, async () => {
              const client = await rotated.connect();
              const { channel, payload } = joinOf(who, signedWith(old, who));
              const { code } = await client.ask(channel, payload);
              assert.equal(code, believed ? undefined : 'unauthorized');
            });
          }
        });
      }
    }));

  test('a token of a megabyte is refused before it costs anything', () =>
    tally.scenario('1 MB: in a frame, in a header', async (attempt) => {
      const [huge] = (await forgeries(ADMIN, trapUrl, draw)).filter(({ what }) => what === '1 MB');
      const token = huge?.token ?? assert.fail('no token of a megabyte');
      assert.ok(token.length > 1_000_000);
      await attempt('in a frame that is too large for it', () =>
        withServer({}, async (usual) => {
          const client = await usual.dial(await usual.listen());
          client.send('admin_join', joinOf(ADMIN, token).payload);
          assert.equal(await client.closed, 1009);
        }),
      );
      await attempt('in a header', async () => {
        const [host = '', port] = at.split(':');
        const socket = connect(Number(port), host);
        socket.on('error', () => {}); // the server need not read it to its end
        socket.write(`GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`);
        socket.write(`Authorization: Bearer ${token}\r\n\r\n`);
        const [answer] = await once(socket, 'data');
        assert.match(String(answer), /^HTTP\/1\.1 413 /);
        socket.destroy();
      });
      await attempt('the server goes on', async () => {
        assert.equal((await outcomeOf(ADMIN, genuine(ADMIN))).code, 'let in');
      });
    }));

  test('a signature is compared by timingSafeEqual, in constant time', () =>
    tally.scenario('signatures: compared by timingSafeEqual alone', async (attempt) => {
      const good = genuine(ALL);
      const bad = `${good.slice(0, -4)}AAAA`;
      const thread = new Worker(COMPARING, {
        eval: true,
        workerData: { secrets: [SECRET, SPARE], tokens: [good, bad] },
      });
      const [compared] = await once(thread, 'message');
      await attempt('one comparison a secret that is tried', () =>
        assert.deepEqual(compared, [[true], [false, false]]),
      );
    }));
});

const SPARE = 'another secret, long enough';

/** A thread that has modules of its own: it answers what `timingSafeEqual` says while each token is read. */
const COMPARING = `
  const crypto = require('node:crypto');
  const { parentPort, workerData: { secrets, tokens } } = require('node:worker_threads');
  const { timingSafeEqual } = crypto;
  let said = [];
  crypto.timingSafeEqual = (one, other) => {
    said.push(timingSafeEqual(one, other));
    return said.at(-1);
  };
  import('${new URL('../../src/auth/tokens.ts', import.meta.url)}').then(({ Tokens }) => {
    const reader = new Tokens(secrets);
    parentPort.postMessage(tokens.map((token) => {
      said = [];
      try {
        reader.verify(token);
      } catch {}
      return said;
    }));
  });
`;

const fitsInHeader = ({ token }: Forgery) => token.length < 8000 && /^[!-~]+$/.test(token);
/** The damaged and the cut ones are all alike to a refresh. */
const isForgedByHand = ({ what }: Forgery) => !what.startsWith('damaged') && !what.startsWith('the first');
