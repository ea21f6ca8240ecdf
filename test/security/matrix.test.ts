/**
 * Tenants never meet: everybody sends everything with somebody else's name in every place that holds one. What there is to
 * send is read from the protocol's table, so that a channel or a type which is new is attacked as well.
 */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { after, before, describe, test } from 'node:test';
import type { BodySchema } from '../../schemas/accepted.ts';
import { JOINS, SENDS } from '../../schemas/table.ts';
import { type Answer, Attacker, IDENTITY_FIELDS, type IdentityField, joinOf, type Party } from '../support/attacker.ts';
import type { Client } from '../support/client.ts';
import { DATABASES, openDatabase, type TestDatabase } from '../support/database.ts';
import { genuine } from '../support/forge.ts';
import { sampleOf } from '../support/samples.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { chance, SEED, Tally } from '../support/tally.ts';

const VICTIM = 'victim';
const MALLORY = 'mallory';
const exp = Math.floor(Date.now() / 1000) + 3600;
const party = (role: Party['role'], dealer: string, sub: string): Party => ({ role, dealer, sub, exp });

/** Who is attacked, and hears it if anything comes through. */
const VICTIMS = [party('customer', VICTIM, 'vg'), party('admin', VICTIM, 'va'), party('server', VICTIM, 'vs')];
/** Which of the witnesses is a server of all dealers. */
const HEARS_ALL = 4;
/** Who attacks from outside: strangers, and those who have the very names of their victims, at their own dealer. */
const STRANGERS = [party('customer', MALLORY, 'mg'), party('admin', MALLORY, 'ma'), party('server', MALLORY, 'ms')];
const NAMESAKES = [party('customer', MALLORY, 'vg'), party('admin', MALLORY, 'va'), party('server', MALLORY, 'vs')];
/** Who attacks from inside. */
const INSIDERS = [party('customer', VICTIM, 'vg2'), party('admin', VICTIM, 'va2')];

/** Names of others for each field: one that there is, and one that there is not. */
const FOREIGN: Readonly<Record<Exclude<IdentityField, 'user'>, readonly [there: string, notThere: string]>> = {
  dealerId: [VICTIM, 'nobody'],
  groupId: ['vg', 'nobodys-group'],
  adminId: ['va', 'nobodys-admin'],
};
const USERS = ['customer', 'admin', 'bot', 'server', 'system', '*'];

/** A place in the table: a channel, a type that it carries, and the schema of that. */
interface Send {
  readonly channel: string;
  readonly type: string;
  readonly schema: BodySchema;
}

const sendsOf = (role: Party['role']): Send[] =>
  Object.entries(SENDS[role]).flatMap(([channel, schemas]) =>
    schemas.map((schema) => ({ channel, type: schema.properties.type.const, schema })),
  );
/** Every place of the table, once. */
const ALL_SENDS = [
  ...new Map(
    (['customer', 'admin', 'server'] as const)
      .flatMap(sendsOf)
      .map((send) => [`${send.channel} ${send.type}`, send] as const),
  ).values(),
];

/** A payload as a party would rightly send it. */
function ownPayload({ role, dealer, sub }: Party, { schema }: Send): object {
  const groupId = role === 'customer' ? sub : 'mg';
  const adminId = role === 'admin' ? sub : 'ma';
  const user = schema.properties.user?.const ?? (role === 'customer' ? 'customer' : 'admin');
  return Object(sampleOf(schema, { dealerId: dealer, groupId, adminId, user }));
}

/**
 * How somebody else's name in a field must be answered [P-5]. `own`: the field says nothing of who speaks, and whatever
 * happens, happens at the sender's own dealer.
 */
function expectedOf({ role }: Party, { channel, schema }: Send, field: IdentityField): string {
  if (!Object.hasOwn(SENDS[role], channel)) return 'forbidden';
  if (role === 'customer') return field === 'adminId' ? 'own' : 'forbidden';
  if (role === 'server') return field === 'dealerId' ? 'forbidden' : 'own';
  if (field !== 'groupId') return 'forbidden';
  return Object.hasOwn(schema.properties, 'groupId') ? 'unknown_group' : 'own';
}

/** The same name, written as something else: nobody's name, or the sender's own. */
const disguises = (name: string): unknown[] => [
  [name],
  [[name]],
  { dealerId: name },
  { toString: name },
  `${name} `,
  ` ${name}`,
  `${name}\0`,
  `${name}\n`,
  `${name}\u200b`,
  name.toUpperCase(),
  `ｖ${name.slice(1)}`,
  `../${name}`,
  `${MALLORY}/../${name}`,
  `${MALLORY},${name}`,
  `${MALLORY}' OR '1'='1`,
  '*',
  '%',
  '',
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
];

/** Frames that name two dealers, in JSON that only a parser's habits make one of. `rest` are the payload's other fields. */
const doubled = (rest: string): readonly (readonly [what: string, payload: string])[] => [
  ['own dealer first', `{"dealerId":"${MALLORY}","dealerId":"${VICTIM}",${rest}}`],
  ["victim's dealer first", `{"dealerId":"${VICTIM}","dealerId":"${MALLORY}",${rest}}`],
  ['in __proto__', `{"__proto__":{"dealerId":"${VICTIM}","groupId":"vg"},${rest}}`],
  ['in constructor', `{"constructor":{"prototype":{"dealerId":"${VICTIM}"}},${rest}}`],
  ['escaped', `{"dealer\\u0049d":"${VICTIM}",${rest}}`],
  ['in another case', `{"DealerId":"${VICTIM}","dealer_id":"${VICTIM}","dealer":"${VICTIM}",${rest}}`],
];

for (const database of DATABASES) {
  describe(`Tenants never meet, on ${database}`, { timeout: 60_000 }, () => {
    const tally = new Tally(`Tenants never meet, on ${database}`);
    const draw = chance();
    let db: TestDatabase;
    let server: TestServer;
    let at = '';
    let witnesses: Client[] = [];

    before(async () => {
      db = await openDatabase(database);
      server = await startServer({
        settings: { DATABASE_URL: db.url, RATE_LIMIT: 'off' },
        timing: { presenceGrace: 60_000 },
      });
      at = await server.listen();
      for (const dealer of [VICTIM, MALLORY]) await server.store.putDealer(dealer, { origins: ['*'] });
      const heard = [...VICTIMS, party('customer', VICTIM, 'vg2'), party('server', '*', 'all')];
      assert.equal(heard[HEARS_ALL]?.dealer, '*');
      witnesses = await Promise.all(heard.map((who) => new Attacker(server, at, who).joined()));
      await furnish();
    });
    after(async () => {
      tally.print();
      await server?.close();
      await db?.close();
    });

    /** Gives the victim something to lose: a long chat, a user, a lead, an intent; and Mallory a group. */
    async function furnish(): Promise<void> {
      const say = (message: string) => ({ type: 'UPDATE_MSG', groupId: 'vg', user: 'customer', message });
      const record = (type: string, message: object) => ({ type, groupId: 'vg', message });
      const events = [
        ...Array.from({ length: 900 }, (_, index) => say(`private ${index}`)),
        record('UPDATE_USER', { name: 'Vera Victim', email: 'vera@victim.example' }),
        record('UPDATE_LEAD', { status: 'hot', phone: '+1 555 0100' }),
        record('CREATE_LEAD_INTENT', { intent: 'buy' }),
      ];
      assert.equal((await post(VICTIMS[2], events)).status, 200);
      assert.equal((await post(STRANGERS[2], { type: 'UPDATE_GROUP', groupId: 'mg', online: true })).status, 200);
    }

    async function post(who: Party | undefined, body: unknown) {
      const response = await fetch(`http://${at}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${who ? genuine(who) : ''}`, 'content-type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const answer: { code?: string; results?: { error?: { code: string } }[] } = JSON.parse(await response.text());
      return { status: response.status, body: answer };
    }

    /** What each of the witnesses has been given: all of it, of the server of all dealers what is the victim's. */
    async function heardByVictims(): Promise<string[][]> {
      await Promise.all(witnesses.map((witness) => witness.settled()));
      return witnesses.map(({ frames }, index) => {
        const heard = frames.filter(({ channel }) => channel !== 'pong');
        const own = index === HEARS_ALL ? heard.filter(({ payload }) => payload.dealerId === VICTIM) : heard;
        return own.map((frame) => JSON.stringify(frame));
      });
    }

    /** That nothing of the victim's is different after what is done, and nobody there has heard of it. */
    async function withoutTrace(
      attempt: (what: string, attack: () => unknown) => Promise<void>,
      done: () => Promise<void>,
    ) {
      const [heard, rows] = [await heardByVictims(), await db.rowsOf(VICTIM)];
      assert.ok(rows.length > 900 && heard.every((texts) => texts.length > 0), 'the victim has nothing to lose');
      await done();
      await attempt('delivered to the victim', async () => {
        const news = (await heardByVictims()).map((texts, index) => texts.slice(heard[index]?.length));
        assert.deepEqual(news.flat(), []);
      });
      await attempt('stored at the victim', async () => {
        assert.deepEqual(difference(rows, await db.rowsOf(VICTIM)), []);
      });
    }

    /** One send with one field not the sender's: once of somebody that there is, once of nobody. */
    async function sendForeign(attacker: Attacker, send: Send, field: IdentityField): Promise<void> {
      const expected = expectedOf(attacker.party, send, field);
      const values = field === 'user' ? USERS : FOREIGN[field];
      const own = String(identityOf(attacker.party)[field]);
      const answers: Answer[] = [];
      for (const value of values.filter((name) => name !== own)) {
        const answer = await attacker.ask(send.channel, { ...ownPayload(attacker.party, send), [field]: value });
        if (expected !== 'own') assert.equal(answer.code, expected, `${field} ${value}: ${JSON.stringify(answer)}`);
        answers.push(answer);
      }
      if (expected !== 'own') for (const answer of answers) assert.deepEqual(answer, answers[0]);
    }

    for (const [names, attackers, fields] of [
      ['strangers', STRANGERS, IDENTITY_FIELDS],
      // What they have in common with their victims is theirs.
      ['namesakes', NAMESAKES, ['dealerId', 'adminId', 'user']],
      // An insider is of the dealer, and an admin may speak in its groups.
      ['insiders', INSIDERS, ['adminId', 'user']],
    ] as const) {
      test(`${names}: every channel and type, with every name of somebody else's`, () =>
        tally.scenario(`sockets, ${names}: every send × every identity field`, async (attempt) => {
          const insideOwn = names === 'insiders';
          const all = attackers.map((who) => new Attacker(server, at, who));
          for (const attacker of all) await attacker.joined();
          await withoutTrace(attempt, async () => {
            for (const attacker of all) {
              const who = attacker.party;
              for (const send of ALL_SENDS) {
                for (const field of fields) {
                  // What an insider is let do is done where it should be: only what must be refused leaves no trace.
                  if (insideOwn && expectedOf(who, send, field) === 'own') continue;
                  await attempt(`${who.role} ${send.channel} ${send.type} ${field}`, () =>
                    sendForeign(attacker, send, field),
                  );
                }
              }
            }
          });
        }));
    }

    test('a customer names another group of its own dealer', () =>
      tally.scenario('sockets, a customer: every send × the groups of others', async (attempt) => {
        await withoutTrace(attempt, async () => {
          const attacker = new Attacker(server, at, party('customer', VICTIM, 'vg2'));
          for (const send of sendsOf('customer')) {
            await attempt(`${send.channel} ${send.type}`, () => sendForeign(attacker, send, 'groupId'));
          }
        });
      }));

    test('names in disguise, and names said twice', () =>
      tally.scenario('sockets: names in disguise, JSON that says two', async (attempt) => {
        await withoutTrace(attempt, async () => {
          for (const who of STRANGERS) {
            const attacker = new Attacker(server, at, who);
            const send = sendsOf(who.role).find(({ type }) => type === 'UPDATE_MSG') ?? assert.fail('no UPDATE_MSG');
            for (const disguise of disguises(VICTIM)) {
              await attempt(`${who.role} ${JSON.stringify(disguise)}`, async () => {
                const payload = { ...ownPayload(who, send), dealerId: disguise };
                const { code } = await attacker.ask(send.channel, payload);
                assert.ok(['forbidden', 'invalid_payload'].includes(String(code)), String(code));
              });
            }
            const rest = JSON.stringify({ ...ownPayload(who, send), dealerId: undefined });
            for (const [what, payload] of doubled(rest.slice(1, -1))) {
              await attempt(`${who.role} ${what}`, () => attacker.askRaw(send.channel, payload));
            }
            for (const more of [{ dealerId: VICTIM }, { scope: 'vg', seq: 1, at: '2026-01-01T00:00:00.000Z' }]) {
              await attempt(`${who.role} envelope`, () => attacker.ask(send.channel, ownPayload(who, send), more));
            }
          }
        });
      }));

    test('POST /v1/events: every type, with every name of somebody else’s', () =>
      tally.scenario('POST /v1/events: every type × every identity field', async (attempt) => {
        const [customer, admin, mallory] = STRANGERS;
        await withoutTrace(attempt, async () => {
          for (const send of ALL_SENDS) {
            const payload = { ...ownPayload(party('server', MALLORY, 'ms'), send), dealerId: VICTIM, groupId: 'vg' };
            for (const who of [customer, admin]) {
              await attempt(`${who?.role} ${send.type}`, async () => {
                const [there, notThere] = [
                  await post(who, payload),
                  await post(who, { ...payload, dealerId: 'nobody' }),
                ];
                assert.deepEqual([there.status, there.body.code], [403, 'forbidden']);
                assert.deepEqual(there, notThere);
              });
            }
          }
          for (const send of sendsOf('server')) {
            const payload = ownPayload(party('server', MALLORY, 'ms'), send);
            await attempt(`server ${send.type} dealerId`, async () => {
              const [there, notThere] = [
                await post(mallory, { ...payload, dealerId: VICTIM }),
                await post(mallory, { ...payload, dealerId: 'nobody' }),
              ];
              assert.deepEqual([there.status, there.body.code], [403, 'forbidden']);
              assert.deepEqual(there, notThere);
            });
            await attempt(`server ${send.type} groupId and adminId`, async () => {
              const { status } = await post(mallory, { ...payload, groupId: 'vg', adminId: 'va' });
              assert.ok([200, 404, 409].includes(status), String(status));
            });
          }
          for (const disguise of disguises(VICTIM)) {
            await attempt(`server ${JSON.stringify(disguise)}`, async () => {
              const { body } = await post(mallory, {
                type: 'UPDATE_GROUP',
                dealerId: disguise,
                groupId: 'vg',
                online: true,
              });
              assert.ok(['forbidden', 'invalid_payload'].includes(String(body.code)), body.code);
            });
          }
          for (const [what, payload] of doubled('"type":"UPDATE_MSG","groupId":"vg","user":"bot","message":"x"')) {
            await attempt(`server ${what}`, () => post(mallory, payload));
          }
          await attempt('server, one foreign event among many of its own', async () => {
            const own = { type: 'UPDATE_GROUP', groupId: 'mg', online: true };
            const { body } = await post(mallory, [own, { ...own, dealerId: VICTIM }, own]);
            assert.deepEqual(
              body.results?.map(({ error }) => error?.code),
              [undefined, 'forbidden', undefined],
            );
          });
        });
      }));

    test('joins: everybody with a genuine token that is for something else', () =>
      tally.scenario('joins: every join × every genuine token for something else', async (attempt) => {
        await withoutTrace(attempt, async () => {
          const genuineOnes = [...STRANGERS, ...NAMESAKES, ...INSIDERS];
          const sought = [...VICTIMS, party('server', '*', 'all')];
          for (const [who, holder] of sought.flatMap((each) => genuineOnes.map((one) => [each, one] as const))) {
            await attempt(
              `${holder.role} ${holder.sub} of ${holder.dealer} as ${who.role} of ${who.dealer}`,
              async () => {
                const answers: unknown[] = [];
                for (const asked of [who, { ...who, sub: 'nobody' }, { ...who, dealer: 'nobody' }]) {
                  const client = await server.dial(at);
                  const { channel, payload } = joinOf(asked, genuine(holder));
                  const { code, message } = await client.ask(channel, payload);
                  answers.push([code, message, await client.closed, client.frames.length]);
                }
                const [first] = answers;
                assert.deepEqual((first as unknown[])[0], 'unauthorized');
                for (const answer of answers) assert.deepEqual(answer, first);
              },
            );
          }
          assert.equal(new Set(sought.map(({ role }) => role)).size, Object.keys(JOINS).length, 'a join is not tried');
        });
      }));

    test('recovery: `since` of what is somebody else’s gives nothing of it', () =>
      tally.scenario('joins: since × the scopes of others', async (attempt) => {
        await withoutTrace(attempt, async () => {
          for (const who of [...STRANGERS, party('customer', VICTIM, 'vg2')]) {
            const answers: unknown[] = [];
            for (const scope of ['vg', 'nobodys-group']) {
              await attempt(`${who.role} of ${who.dealer} ${scope}`, async () => {
                const client = await server.dial(at);
                const { channel, payload } = joinOf(who, genuine(who), { since: { [scope]: 0 } });
                const { code, message } = await client.ask(channel, payload);
                if (who.role === 'customer') assert.equal(code, 'forbidden');
                await client.settled();
                assert.doesNotMatch(client.texts.join(), /private \d/);
                const session = client.frames.find((frame) => frame.channel === 'session')?.payload;
                answers.push([code, message, Object.values(session?.recovered ?? {})]);
              });
            }
            await attempt(`${who.role} of ${who.dealer}, there or not`, () => {
              // What Mallory's own dealer has of that name by now was put there by the attacks before.
              if (who.role === 'customer') assert.deepEqual(answers[0], answers[1]);
            });
          }
        });
      }));

    test('what is there takes no other time than what is not', () =>
      tally.scenario('time: there or not, medians of interleaved tries', async (attempt) => {
        const [customer, admin, mallory] = STRANGERS.map((who) => new Attacker(server, at, who));
        const insider = genuine(party('customer', VICTIM, 'vg2'));
        const read = (token: string, dealerId: string, scope: string) => () =>
          fetch(`http://${at}/v1/dealers/${dealerId}/scopes/${scope}/events`, {
            headers: { authorization: `Bearer ${token}` },
          }).then((response) => response.text());
        const joinAs = (who: Party) => async () => {
          const client = await server.dial(at);
          const { channel, payload } = joinOf(who, genuine(party('admin', MALLORY, 'ma')));
          await client.ask(channel, payload);
        };
        const message = { type: 'UPDATE_MSG', message: 'x' };
        const pairs: readonly (readonly [what: string, there: () => unknown, notThere: () => unknown])[] = [
          [
            "a customer's message to another dealer",
            () => customer?.ask('customer_message', { ...message, dealerId: VICTIM }),
            () => customer?.ask('customer_message', { ...message, dealerId: 'nobody' }),
          ],
          [
            "an admin's message to another dealer's group",
            () => admin?.ask('admin_message', { ...message, groupId: 'vg-long' }),
            () => admin?.ask('admin_message', { ...message, groupId: 'vg-none' }),
          ],
          [
            "a server's event for another dealer",
            () => mallory?.ask('event', { ...message, user: 'bot', groupId: 'vg', dealerId: VICTIM }),
            () => mallory?.ask('event', { ...message, user: 'bot', groupId: 'vg', dealerId: 'nobody' }),
          ],
          [
            "another dealer's log",
            read(genuine(party('admin', MALLORY, 'ma')), VICTIM, 'vg'),
            read(genuine(party('admin', MALLORY, 'ma')), 'nobody', 'vg'),
          ],
          ["another group's log", read(insider, VICTIM, 'vg'), read(insider, VICTIM, 'nobodys-group')],
          ['a join to another dealer', joinAs(party('admin', VICTIM, 'va')), joinAs(party('admin', 'nobody', 'va'))],
        ];
        // A group of a name that Mallory's dealer does not have, as it has by now of those that were named before.
        assert.equal((await post(VICTIMS[2], { type: 'UPDATE_GROUP', groupId: 'vg-long', online: true })).status, 200);
        for (const [what, there, notThere] of pairs) {
          await attempt(what, async () => {
            const medians = await compareTimes(there, notThere, draw);
            const [low, high] = medians.toSorted((one, other) => one - other) as [number, number];
            assert.ok(high < 3 * low + 1, `${medians.map((ms) => ms.toFixed(2))} ms`);
          });
        }
      }));

    test('the witnesses hear: what is rightly sent comes to all whom it should', () =>
      tally.scenario('control: what is rightly sent is heard', async (attempt) => {
        const customer = new Attacker(server, at, party('customer', VICTIM, 'vg'));
        const from = witnesses.map(({ frames }) => frames.length);
        for (const send of sendsOf('customer')) {
          await attempt(send.type, async () => {
            const answer = await customer.ask(send.channel, ownPayload(customer.party, send));
            assert.equal(answer.channel, 'ack', JSON.stringify(answer));
          });
        }
        await Promise.all(witnesses.map((witness) => witness.settled()));
        for (const index of [1, 2, 4]) {
          await attempt(`witness ${index}`, () => {
            const heard = new Set(witnesses[index]?.frames.slice(from[index]).map(({ payload }) => payload.type));
            assert.ok(heard.size >= sendsOf('customer').length, [...heard].join());
          });
        }
        await attempt('the table is not empty', () => assert.ok(ALL_SENDS.length >= 30, `seed ${SEED}`));
      }));
  });
}

/** The fields in which a party has an identity of its own. */
function identityOf({ role, dealer, sub }: Party): Partial<Record<IdentityField, string>> {
  const own = { customer: { groupId: sub, user: role }, admin: { adminId: sub, user: role }, server: {} }[role];
  return { dealerId: dealer, ...own };
}

/** The rows that only one of two lists has. */
function difference(one: readonly string[], other: readonly string[]): string[] {
  const [inOne, inOther] = [new Set(one), new Set(other)];
  return [...one.filter((row) => !inOther.has(row)), ...other.filter((row) => !inOne.has(row))];
}

const TRIES = 60;

/** The medians of two things' times, in ms, each tried as often, in an order that is drawn. */
async function compareTimes(one: () => unknown, other: () => unknown, draw: () => number): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let tries = 0; tries < TRIES; tries += 1) {
    for (const which of draw() < 0.5 ? ([0, 1] as const) : ([1, 0] as const)) {
      const from = performance.now();
      await (which === 0 ? one() : other());
      times[which].push(performance.now() - from);
    }
  }
  const [first = 0, second = 0] = times.map((each) => each.sort((a, b) => a - b)[TRIES / 2] ?? 0);
  return [first, second];
}
