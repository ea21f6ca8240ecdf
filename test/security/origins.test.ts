/** [P-11.5] A browser joins a dealer from the origins that are listed, and from none that only looks like one. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { joinOf, type Party } from '../support/attacker.ts';
import { genuine } from '../support/forge.ts';
import { frameBytes, handshake, OP, openingText, RawSocket } from '../support/raw-socket.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { chance, Tally } from '../support/tally.ts';

const exp = Math.floor(Date.now() / 1000) + 3600;
const LISTED = [
  'https://shop.example',
  'https://xn--shp-sna.example',
  'http://localhost:3000',
  'https://[2001:db8::1]:8443',
];
const DEALER = 'shop';

const PARTIES: readonly Party[] = [
  { role: 'customer', dealer: DEALER, sub: 'g', exp },
  { role: 'admin', dealer: DEALER, sub: 'a', exp },
  { role: 'server', dealer: DEALER, sub: 's', exp },
];

/** Header values that are not one of the listed origins, by the trick. */
const TRICKS: Readonly<Record<string, readonly string[]>> = {
  'no origin at all, in words': ['null', 'Null', 'undefined', '', ' ', '*', 'file://', 'about:blank', 'data:', '-'],
  'another port': [
    'https://shop.example:443',
    'https://shop.example:8443',
    'https://shop.example:',
    'https://shop.example:0',
    'https://shop.example:00443',
    'http://localhost',
    'http://localhost:30000',
    'http://localhost:300',
    'http://localhost:3001',
    'http://localhost:3000:3000',
  ],
  'another scheme': [
    'http://shop.example',
    'wss://shop.example',
    'https:shop.example',
    'https:/shop.example',
    'https:///shop.example',
    '//shop.example',
    'shop.example',
    'javascript://shop.example',
    'chrome-extension://shop.example',
    'https+x://shop.example',
    'view-source:https://shop.example',
  ],
  'a suffix': [
    'https://shop.example.evil.example',
    'https://shop.exampleevil.example',
    'https://shop.example-evil.example',
    'https://shop.example.',
    'https://shop.example..',
    'https://shop.example/',
    'https://shop.example/path',
    'https://shop.example?x',
    'https://shop.example#x',
    'https://shop.example\\.evil.example',
    'https://shop.example;evil.example',
    'https://shop.example,https://evil.example',
    'https://shop.example https://evil.example',
    'https://evil.example, https://shop.example',
    'https://shop.example%2eevil.example',
    'https://shop.example%00.evil.example',
    'https://shop.exampl',
    'https://shop.examplE1',
  ],
  'a sub-domain, or one above': [
    'https://www.shop.example',
    'https://a.shop.example',
    'https://evilshop.example',
    'https://evil-shop.example',
    'https://example',
    'https://.shop.example',
    'https://*.shop.example',
    'https://shop..example',
    'https://shopXexample',
    'https://shop-example',
  ],
  userinfo: [
    'https://shop.example@evil.example',
    'https://shop.example:443@evil.example',
    'https://evil.example@shop.example',
    'https://user:pass@shop.example',
    'https://@shop.example',
    'https://shop.example%40evil.example',
  ],
  'an address for a name': [
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'http://0x7f000001:3000',
    'https://[2001:db8::2]:8443',
    'https://[2001:db8:0::1]:8443',
    'https://2001:db8::1:8443',
  ],
  'letters of other scripts': [
    'https://shöp.example',
    'https://xn--shp-snb.example',
    'https://xn--shop.example',
    'https://ѕhop.example',
    'https://sh\u043ep.example',
    'https://shop\u3002example',
    'https://shop\uff0eexample',
    'https://ｓhop.example',
    'https://\u017fhop.example',
    'https://shop.e\u200bxample',
    'http://\u212alocalhost:3000',
    'http://loca\u0131host:3000',
  ],
};

/** What is listed, in capitals: browsers send small letters, and nobody else may be told apart by it. */
const SAME = [...LISTED, ...LISTED.map((origin) => origin.toUpperCase())];

describe('Origins', { timeout: 60_000 }, () => {
  const tally = new Tally('Origins');
  const draw = chance();
  let server: TestServer;
  let at = '';

  before(async () => {
    server = await startServer({ settings: { RATE_LIMIT: 'off' }, timing: { closeTimeout: 50 } });
    at = await server.listen();
    await server.store.putDealer(DEALER, { origins: LISTED });
    await server.store.putDealer('none', { origins: [] });
  });
  after(async () => {
    tally.print();
    await server?.close();
  });

  /** Upgrades with header lines as they are, joins, and answers what became of it. */
  async function joinFrom(lines: readonly string[], who: Party) {
    const request = openingText().replace(/\r\n\r\n$/, `\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`);
    const answer = await handshake(at, request);
    if (answer.status !== 101) {
      answer.socket.destroy();
      return `HTTP ${answer.status}`;
    }
    const socket = new RawSocket(answer);
    try {
      const { channel, payload } = joinOf(who, genuine(who));
      socket.write(frameBytes(JSON.stringify({ channel, payload, id: 'j' })));
      const text = String(await socket.next(OP.text, (frame) => /"channel":"(ack|error)"/.test(frame)));
      const { channel: answered, payload: said } = JSON.parse(text);
      return answered === 'ack' ? 'joined' : `${said.code} ${(await socket.next(OP.close)).readUInt16BE()}`;
    } finally {
      socket.destroy();
    }
  }

  const REFUSED = 'forbidden 4403';

  for (const [trick, origins] of Object.entries(TRICKS)) {
    test(`${trick} joins nobody`, () =>
      tally.scenario(`every role × ${trick}`, async (attempt) => {
        const rows = await server.store.tails(DEALER, ['@desk', '@dealer', 'g']);
        for (const [origin, who] of origins.flatMap((each) => PARTIES.map((one) => [each, one] as const))) {
          await attempt(`${who.role} from "${origin}"`, async () => {
            const outcome = await joinFrom([`Origin: ${origin}`], who);
            assert.ok([REFUSED, 'HTTP 400'].includes(outcome), outcome);
          });
        }
        await attempt('stored', async () => {
          assert.deepEqual(await server.store.tails(DEALER, ['@desk', '@dealer', 'g']), rows);
        });
      }));
  }

  test('an origin that is one letter off joins nobody', () =>
    tally.scenario('a customer × origins damaged where it is drawn', async (attempt) => {
      const letters = 'abcdefghijklmnopqrstuvwxyz0123456789.-:/@';
      for (let count = 0; count < 150; count += 1) {
        const origin = LISTED[Math.floor(draw() * LISTED.length)] ?? '';
        const at = Math.floor(draw() * (origin.length + 1));
        const letter = letters[Math.floor(draw() * letters.length)] ?? '';
        const cut = Math.floor(draw() * 2);
        const damaged = origin.slice(0, at) + letter + origin.slice(at + cut);
        if (LISTED.includes(damaged)) continue;
        await attempt(damaged, async () => {
          assert.equal(await joinFrom([`Origin: ${damaged}`], PARTIES[0] as Party), REFUSED);
        });
      }
    }));

  test('an origin said twice, or in another header, does not count for one', () =>
    tally.scenario('every role × headers that say an origin otherwise', async (attempt) => {
      const [good, evil] = ['https://shop.example', 'https://evil.example'];
      for (const [lines, who] of [
        [`Origin: ${good}`, `Origin: ${evil}`],
        [`Origin: ${evil}`, `Origin: ${good}`],
        [`Origin: ${evil}`, `origin: ${good}`, `ORIGIN: ${good}`],
        [`Origin: ${evil}`, `Referer: ${good}/`],
        [`Origin: ${evil}`, `X-Forwarded-Host: shop.example`],
        [`Origin: ${evil}`, `Sec-WebSocket-Origin: ${good}`],
        [`Origin: ${evil}`, 'Sec-Fetch-Site: same-origin'],
        [`Origin: ${evil}`, `Forwarded: host=shop.example;proto=https`],
      ].flatMap((each) => PARTIES.map((one) => [each, one] as const))) {
        await attempt(`${who.role} ${lines.join(' + ')}`, async () => {
          const outcome = await joinFrom(lines, who);
          assert.ok([REFUSED, 'HTTP 400'].includes(outcome), outcome);
        });
      }
    }));

  test('from an origin that is not listed nobody learns which groups there are', () =>
    tally.scenario('a foreign origin × groups that are there or not', async (attempt) => {
      assert.equal(await joinFrom([], { ...(PARTIES[0] as Party), sub: 'there' }), 'joined');
      for (const sub of ['there', 'not-there']) {
        await attempt(sub, async () => {
          assert.equal(await claimFrom('https://evil.example', { ...(PARTIES[0] as Party), sub }), REFUSED);
        });
      }
    }));

  /** Joins without a token. */
  async function claimFrom(origin: string, who: Party) {
    const client = await server.dial(at, { headers: { origin } });
    const { channel, payload } = joinOf(who, undefined);
    const { code } = await client.ask(channel, payload);
    return `${code} ${await client.closed}`;
  }

  test('where none is listed no browser joins, and where all are every one does', () =>
    tally.scenario('dealers with none listed, and with all', async (attempt) => {
      for (const who of PARTIES.map((each) => ({ ...each, dealer: 'none' }))) {
        for (const origin of ['https://shop.example', 'null', '', '*']) {
          await attempt(`${who.role} from "${origin}"`, async () => {
            assert.equal(await joinFrom([`Origin: ${origin}`], who), REFUSED);
          });
        }
      }
      const all: Party = { role: 'server', dealer: '*', sub: 'all', exp };
      await attempt('a server of all dealers sends none', async () => {
        assert.equal(await joinFrom(['Origin: https://shop.example'], all), REFUSED);
      });
    }));

  test('what is listed joins, in any case; so does what is no browser', () =>
    tally.scenario('control: origins that may join', async (attempt) => {
      for (const [origin, who] of SAME.flatMap((each) => PARTIES.map((one) => [each, one] as const))) {
        await attempt(`${who.role} from ${origin}`, async () => {
          assert.equal(await joinFrom([`Origin: ${origin}`], who), 'joined');
        });
      }
      for (const who of PARTIES) await attempt(who.role, async () => assert.equal(await joinFrom([], who), 'joined'));
    }));
});
