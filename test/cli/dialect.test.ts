/** [P-19.2] The settings of a dialect, and what `telle doctor` says of its services. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { Redis } from 'ioredis';
import { readSettings } from '../../src/cli/settings.ts';
import { desksOf } from '../../src/dialects/telle2019/desks.ts';
import { command } from '../support/command.ts';
import { until } from '../support/until.ts';

const redis = process.env.REDIS_URL ?? assert.fail('REDIS_URL is not set: run the tests with `npm test`');

const NAMES =
  'dealers and the addresses or networks of their desks, such as 201900001=192.0.2.0/24,201900002=198.51.100.7';
const WRONG: readonly (readonly [name: string, value: string, allowed: string])[] = [
  ['DIALECT', 'telle2018', 'one of none, telle2019'],
  ['DIALECT', '', 'one of none, telle2019'],
  ['DIALECT_CHANNEL', 'a b', '1 to 128 visible ASCII characters, such as telle_ai_chat'],
  ['DIALECT_BOT_QUEUE', 'x'.repeat(129), '1 to 128 visible ASCII characters, such as telle:queue:bot'],
  ...[
    'on',
    '192.0.2.0/24',
    'd1=everywhere',
    'd1=0.0.0.0/0',
    'd1=::/0',
    'd1=192.0.2.0/33',
    '*=192.0.2.1',
    'd1=192.0.2.1,',
  ].map((value) => ['DIALECT_DESKS', value, `off, or ${NAMES}`] as const),
];

describe('[P-19.2] a setting of the dialect', () => {
  for (const [name, value, allowed] of WRONG) {
    it(`that is wrong is refused with what is allowed: ${name}=${value.slice(0, 20)}`, () => {
      const found = value === '' ? 'is empty' : `is "${value}"`;
      assert.throws(() => readSettings({ [name]: value }), { message: `${name} ${found}: it must be ${allowed}` });
    });
  }

  it('is none where nothing is said, and has the names of 2019', () => {
    const { DIALECT, DIALECT_CHANNEL, DIALECT_BOT_QUEUE, DIALECT_DESKS } = readSettings({});
    assert.deepEqual(
      [DIALECT, DIALECT_CHANNEL, DIALECT_BOT_QUEUE, DIALECT_DESKS],
      ['none', 'telle_ai_chat', 'telle:queue:bot', 'off'],
    );
  });

  it('may not make Telle’s own channel that of the others', () => {
    assert.throws(() => readSettings({ DIALECT_CHANNEL: 'telle:events' }), {
      message: "DIALECT_CHANNEL is telle:events, which is Telle's own: set that of the other services",
    });
  });
});

describe('[P-19.2] a desk without a token', () => {
  const isDesk = desksOf('d1=192.0.2.0/24, d1=2001:db8::/48,d2=198.51.100.7');
  const cases = [
    ['d1', '192.0.2.255', true],
    ['d1', '::ffff:192.0.2.1', true],
    ['d1', '2001:db8::7', true],
    ['d1', '192.0.3.1', false],
    ['d1', '198.51.100.7', false],
    ['d2', '198.51.100.7', true],
    ['d2', '192.0.2.1', false],
    ['d3', '192.0.2.1', false],
    ['d1', 'no address', false],
    ['d1', null, false],
  ] as const;
  for (const [dealerId, address, expected] of cases)
    it(`is ${expected ? '' : 'not '}one of ${dealerId} from ${address}`, () =>
      assert.equal(isDesk(dealerId, address), expected));

  it('is nobody’s by default', () => assert.equal(desksOf('off')('d1', '192.0.2.1'), false));
});

describe('[P-19.2] telle doctor', { timeout: 60_000 }, () => {
  it('says nothing of a dialect that is not asked for, and what one lacks that has no Redis', async () => {
    assert.doesNotMatch((await command(['doctor'], { REDIS_URL: redis })).stdout, /^. dialect /m);
    const { stdout } = await command(['doctor'], { DIALECT: 'telle2019' });
    assert.match(stdout, /^! dialect +telle2019 is spoken over Socket.IO alone\n +→ REDIS_URL/m);
    const away = await command(['doctor'], { DIALECT: 'telle2019', REDIS_URL: 'redis://127.0.0.1:1' });
    assert.match(away.stdout, /^✗ dialect +Redis does not say what is heard/m);
  });

  it('says what is heard, by type and never by what is in it; that nobody listens; and that nobody takes', async () => {
    const [channel, list] = [randomUUID(), randomUUID()];
    const client = new Redis(redis);
    try {
      await client.rpush(list, ...Array.from({ length: 1000 }, () => '{}'));
      const settings = { DIALECT: 'telle2019', DIALECT_CHANNEL: channel, DIALECT_BOT_QUEUE: list };
      const doctor = command(['doctor'], { ...settings, REDIS_URL: redis, REDIS_PREFIX: `${channel}:` });
      await until('it listens', async () => (await client.pubsub('NUMSUB', channel))[1] === 1);
      for (const text of [
        ...[
          '{"type":"UPDATE_MSG","message":"hush"}',
          '{"type":"UPDATE_MSG","via":"telle"}',
          '{"type":"hush"}',
          'hush',
          '[]',
        ],
      ])
        await client.publish(channel, text);
      const { stdout } = await doctor;
      const heard =
        'heard 1 UPDATE_MSG of others, 1 UPDATE_MSG of Telle, 1 of an unknown type of others, 2 that are no events in 3 s';
      assert.ok(stdout.includes(`${channel}: ${heard}`), stdout);
      assert.doesNotMatch(stdout, /hush/);
      assert.match(stdout, new RegExp(`^! dialect +${channel}: nobody listens\n +→ is it the Redis`, 'm'));
      assert.match(stdout, new RegExp(`^! dialect +${list}: 1000 wait\n +→ does the service run`, 'm'));
    } finally {
      client.disconnect();
    }
  });
});
