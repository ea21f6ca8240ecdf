import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flagOf, readSettings, SETTING_NAMES, secondsOf } from '../../src/cli/settings.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

/** What a setting that is wrong is told to be, whole. */
const WRONG: readonly (readonly [name: string, value: string, sentence: string])[] = [
  ['HOST', '', 'HOST is empty: it must be not empty'],
  ['PORT', 'http', 'PORT is "http": it must be a whole number from 0 to 65535'],
  ['PORT', '', 'PORT is empty: it must be a whole number from 0 to 65535'],
  ['PORT', '65536', 'PORT is "65536": it must be a whole number from 0 to 65535'],
  ['PORT', '-1', 'PORT is "-1": it must be a whole number from 0 to 65535'],
  ['PORT', '80.5', 'PORT is "80.5": it must be a whole number from 0 to 65535'],
  ['PORT', '0x50', 'PORT is "0x50": it must be a whole number from 0 to 65535'],
  ['PORT', '8 0', 'PORT is "8 0": it must be a whole number from 0 to 65535'],
  ['PORT', '99999999999999999999', 'PORT is "99999999999999999999": it must be a whole number from 0 to 65535'],
  [
    'REDIS_URL',
    'host:6379',
    'REDIS_URL is not as it must be, and not shown, since a password may be in it: it must be redis://<host>:<port>, or rediss://<host>:<port>, or redis+sentinel://<host>:<port>,<host>:<port>/<name of the master>',
  ],
  [
    'REDIS_PREFIX',
    'a b',
    'REDIS_PREFIX is "a b": it must be at most 64 visible ASCII characters, braces only as one hash tag: {telle}:',
  ],
  [
    'REDIS_PREFIX',
    'te{lle:',
    'REDIS_PREFIX is "te{lle:": it must be at most 64 visible ASCII characters, braces only as one hash tag: {telle}:',
  ],
  [
    'REDIS_PREFIX',
    '{}telle:',
    'REDIS_PREFIX is "{}telle:": it must be at most 64 visible ASCII characters, braces only as one hash tag: {telle}:',
  ],
  [
    'REDIS_PREFIX',
    '{a}{b}:',
    'REDIS_PREFIX is "{a}{b}:": it must be at most 64 visible ASCII characters, braces only as one hash tag: {telle}:',
  ],
  ['AUTH_SECRET', '', 'AUTH_SECRET is empty: it must be not empty'],
  ['AUTO_MUTE', 'maybe', 'AUTO_MUTE is "maybe": it must be on or off'],
  ['AUTO_MUTE', '', 'AUTO_MUTE is empty: it must be on or off'],
  ['AUTO_MUTE', 'constructor', 'AUTO_MUTE is "constructor": it must be on or off'],
  ['MAX_FRAME_BYTES', '1023', 'MAX_FRAME_BYTES is "1023": it must be a whole number from 1024 to 1048576'],
  ['MAX_FRAME_BYTES', '1048577', 'MAX_FRAME_BYTES is "1048577": it must be a whole number from 1024 to 1048576'],
  ['MAX_SOCKET_BACKLOG', '1MiB', 'MAX_SOCKET_BACKLOG is "1MiB": it must be a whole number from 16384 to 1073741824'],
  [
    'TRUST_PROXY',
    'everybody',
    'TRUST_PROXY is "everybody": it must be off, or the addresses or networks of your proxies, such as 10.0.0.0/8,127.0.0.1, or loopback',
  ],
  ['MAX_CONNECTIONS', '0', 'MAX_CONNECTIONS is "0": it must be a whole number from 1 to 10000000'],
  ['JOIN_TIMEOUT', '99ms', 'JOIN_TIMEOUT is "99ms": it must be a time from 0.1s to 300s, such as 500ms, 10s or 2m'],
  ['JOIN_TIMEOUT', '6m', 'JOIN_TIMEOUT is "6m": it must be a time from 0.1s to 300s, such as 500ms, 10s or 2m'],
  ['JOIN_TIMEOUT', 'soon', 'JOIN_TIMEOUT is "soon": it must be a time from 0.1s to 300s, such as 500ms, 10s or 2m'],
  ['PING_INTERVAL', '900ms', 'PING_INTERVAL is "900ms": it must be a time from 1s to 300s, such as 10s or 2m'],
  ['DRAIN_PAUSE', '-1s', 'DRAIN_PAUSE is "-1s": it must be a time from 0s to 300s, such as 500ms, 10s or 2m'],
  ['DRAIN_SPREAD', '301', 'DRAIN_SPREAD is "301": it must be a time from 0s to 300s, such as 500ms, 10s or 2m'],
  ['JOIN_TIMEOUT', '', 'JOIN_TIMEOUT is empty: it must be a time from 0.1s to 300s, such as 500ms, 10s or 2m'],
  ['RATE_LIMIT', 'true', 'RATE_LIMIT is "true": it must be one of on, off'],
  ['LOG_LEVEL', 'loud', 'LOG_LEVEL is "loud": it must be one of fatal, error, warn, info, debug, trace, silent'],
];

describe('a setting that is wrong', () => {
  for (const [name, value, sentence] of WRONG) {
    it(`is told with its name, its value and what is allowed: ${name}=${value}`, () => {
      assert.throws(() => readSettings({ [name]: value }), { name: 'UsageError', message: sentence });
    });
  }

  for (const value of ['mysql://host/db', 'telle.db', 'sqlite:', '']) {
    it(`is told with its name and what is allowed: DATABASE_URL=${value}`, () => {
      assert.throws(
        () => readSettings({ DATABASE_URL: value }),
        (error) =>
          error instanceof UsageError &&
          error.message.startsWith(
            `DATABASE_URL is ${value === '' ? 'empty' : 'not as it must be, and not shown, since a password may be in it'}: it must be sqlite:<file>, such as sqlite:data/telle.db`,
          ),
      );
    });
  }

  for (const prefix of ['', 'telle:', '{telle}:', 'a{b}c:', 'te[l]l*e?\\-:']) {
    it(`is taken as it is where it is none: REDIS_PREFIX=${prefix}`, () => {
      assert.equal(readSettings({ REDIS_PREFIX: prefix }).REDIS_PREFIX, prefix);
    });
  }

  it('is told before any that comes after it', () => {
    assert.throws(() => readSettings({ LOG_LEVEL: 'loud', PORT: 'x' }), /^UsageError: PORT is "x"/);
  });
});

describe('settings', () => {
  it('that are absent have the defaults of the protocol', () => {
    const settings = readSettings({});
    assert.deepEqual(
      { ...settings },
      {
        ...settings,
        HOST: '127.0.0.1',
        PORT: 8080,
        DATABASE_URL: 'sqlite:data/telle.db',
        AUTO_MUTE: true,
        MAX_FRAME_BYTES: 16_384,
        MAX_SOCKET_BACKLOG: 1_048_576,
        JOIN_TIMEOUT: 10,
        PING_INTERVAL: 25,
        RATE_LIMIT: 'on',
        WELCOME: 'local',
        LOG_LEVEL: 'info',
      },
    );
    assert.equal('AUTH_SECRET' in settings, false);
  });

  it('are read from text, to the very ends of what is allowed', () => {
    const cases: Readonly<Record<string, readonly (readonly [string, unknown])[]>> = {
      PORT: [
        ['0', 0],
        ['65535', 65_535],
        [' 80\n', 80],
      ],
      AUTO_MUTE: [
        ['on', true],
        ['ON', true],
        ['true', true],
        ['1', true],
        ['off', false],
        ['False', false],
        ['0', false],
      ],
      JOIN_TIMEOUT: [
        ['100ms', 0.1],
        ['0.1', 0.1],
        ['300', 300],
        ['5m', 300],
        ['1.5s', 1.5],
      ],
      MAX_FRAME_BYTES: [
        ['1024', 1024],
        ['1048576', 1_048_576],
      ],
      AUTH_SECRET: [['a,b', 'a,b']],
      DATABASE_URL: [['sqlite:x', 'sqlite:x']],
      RATE_LIMIT: [['off', 'off']],
      TRUST_PROXY: [
        ['127.0.0.1', '127.0.0.1'],
        ['10.0.0.0/8, ::1,fd00::/8', '10.0.0.0/8, ::1,fd00::/8'],
      ],
    };
    for (const [name, pairs] of Object.entries(cases)) {
      for (const [text, value] of pairs) {
        assert.equal(Object.entries(readSettings({ [name]: text })).find(([known]) => known === name)?.[1], value);
      }
    }
  });

  it('ignore names that are no setting’s', () => {
    assert.deepEqual(readSettings({ COLOUR: 'red', constructor: 'x' }), readSettings({}));
  });

  it('have flags named after them', () => {
    assert.equal(flagOf('MAX_FRAME_BYTES'), '--max-frame-bytes');
    assert.equal(new Set(SETTING_NAMES.map(flagOf)).size, SETTING_NAMES.length);
  });
});

describe('a time', () => {
  it('is a number and a unit, or seconds', () => {
    const read = ['500ms', '10s', '2m', '12h', '30d', '7', '0.5'].map(secondsOf);
    assert.deepEqual(read, [0.5, 10, 120, 43_200, 2_592_000, 7, 0.5]);
  });

  it('is nothing else', () => {
    for (const text of ['', '-1', '1 s', '1e3', '.5', '1.', '5w', 'ms', 'Infinity', '1s2s']) {
      assert.ok(Number.isNaN(secondsOf(text)), text);
    }
  });
});
