import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openStore } from '../../src/app.ts';
import { Tokens } from '../../src/auth/tokens.ts';
import { howToTry, makeDemoDealer } from '../../src/cli/demo.ts';
import { readSecrets } from '../../src/cli/secrets.ts';
import { readSettings } from '../../src/cli/settings.ts';
import { printToken, type TokenRequest } from '../../src/cli/token.ts';
import type { Store } from '../../src/store/store.ts';

const [NEW, OLD] = ['the new secret which is long enough', 'the old secret that is as long as that'];
const SETTINGS = readSettings({ DATABASE_URL: 'sqlite::memory:', AUTH_SECRET: NEW });
const ID = '1 to 64 of A-Z a-z 0-9 . _ : @ -';

/** What is wrong with a token that is asked for, whole. */
const WRONG: readonly (readonly [asked: Partial<TokenRequest>, sentence: string])[] = [
  [{ role: 'boss' }, '--role is "boss": it must be customer, admin or server'],
  [{ role: '' }, '--role is "": it must be customer, admin or server'],
  [{ dealer: '*' }, '--dealer is "*": only a server may speak to all dealers'],
  [{ dealer: 'a/b' }, `--dealer is "a/b": it must be ${ID}`],
  [{ dealer: 'x'.repeat(65) }, `--dealer is "${'x'.repeat(65)}": it must be ${ID}`],
  [{ sub: '' }, `--sub is "": it must be ${ID}`],
  [{ role: 'customer', sub: '@desk' }, `--sub is "@desk": it must be ${ID}, not beginning with @`],
  [{ ttl: '0' }, '--ttl is "0": it must be a time such as 30m, 12h or 30d'],
  [{ ttl: '0.9s' }, '--ttl is "0.9s": it must be a time such as 30m, 12h or 30d'],
  [{ ttl: '367d' }, '--ttl is "367d": a token holds at most 366d'],
  [{ ttl: '31622401' }, '--ttl is "31622401": a token holds at most 366d'],
  [{ ttl: '2900000d' }, '--ttl is "2900000d": a token holds at most 366d'],
  [{ ttl: '9'.repeat(400) }, `--ttl is "${'9'.repeat(400)}": a token holds at most 366d`],
  [{ role: 'server', link: true }, '--link is for --role admin: nobody else has a desk'],
  [{ ttl: 'soon' }, '--ttl is "soon": it must be a time such as 30m, 12h or 30d'],
];

describe('a token that is asked for wrongly', () => {
  for (const [asked, sentence] of WRONG) {
    it(`is refused in one sentence: ${sentence}`, async () => {
      const request = { role: 'admin', dealer: 'd1', sub: 'a1', ttl: '12h', url: '', ...asked };
      await assert.rejects(printToken(SETTINGS, request), { name: 'UsageError', message: sentence });
    });
  }
});

describe('secrets', () => {
  it('are what AUTH_SECRET lists, the first to sign with', () => {
    assert.deepEqual(readSecrets({ ...SETTINGS, AUTH_SECRET: `${NEW}, ${OLD}` }), [NEW, OLD]);
  });

  it('have no empty part', () => {
    for (const AUTH_SECRET of [',', 'a,', ',a', 'a, ,b', ' ']) {
      assert.throws(() => readSecrets({ ...SETTINGS, AUTH_SECRET }), {
        name: 'UsageError',
        message: 'AUTH_SECRET has an empty part between its commas',
      });
    }
  });

  it('are made anew for a database in memory', () => {
    const { AUTH_SECRET: _, ...settings } = SETTINGS;
    const [one, other] = [readSecrets(settings, { make: true }), readSecrets(settings, { make: true })];
    assert.equal(one.length, 1);
    assert.notDeepEqual(one, other);
    assert.throws(
      () => readSecrets(settings),
      /^Error: DATABASE_URL is "sqlite::memory:", whose secret is its server's alone/,
    );
  });
});

describe('the dealer demo', () => {
  const withStore = (use: (store: Store) => Promise<void>) => async () => {
    const store = openStore(SETTINGS);
    try {
      await store.migrate();
      await use(store);
    } finally {
      await store.close();
    }
  };

  it(
    'is made for clients from anywhere',
    withStore(async (store) => {
      await makeDemoDealer(store);
      assert.deepEqual(await store.dealer('demo'), { dealerId: 'demo', name: 'Demo Motors', origins: ['*'] });
    }),
  );

  it(
    'is no longer shown once it was removed',
    withStore(async (store) => {
      await makeDemoDealer(store);
      await store.deleteDealer('demo');
      assert.equal(await howToTry(store, new Tokens([NEW]), 'http://127.0.0.1:8080'), null);
    }),
  );

  it(
    'is tried with an agent’s token that verifies, in a group that is new each time',
    withStore(async (store) => {
      await makeDemoDealer(store);
      const tokens = new Tokens([NEW]);
      const framesOf = (trial: string | null) => (trial?.match(/^\{.*$/gm) ?? []).map((line) => JSON.parse(line));
      const url = 'http://127.0.0.1:8080';
      const trial = await howToTry(store, tokens, url);
      const [first, second] = [framesOf(trial), framesOf(await howToTry(store, tokens, url))];
      const { claims } = await tokens.verify(first[2].payload.token);
      assert.deepEqual([claims.role, claims.dealer, claims.sub], ['admin', 'demo', first[2].payload.adminId]);
      assert.ok(trial?.includes(`An agent:  ${url}/desk#demo\n`));
      assert.equal(first[3].payload.groupId, first[0].payload.groupId);
      assert.notEqual(first[0].payload.groupId, second[0].payload.groupId);
    }),
  );
});
