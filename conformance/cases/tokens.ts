/** Section 4: tokens, good and bad, and their end. */
import { check, holds, same } from '../expect.ts';
import { secondsFromNow } from '../tokens.ts';
import type { Case, Visit } from '../visit.ts';

const ADMIN = { role: 'admin', sub: 'alice' } as const;

/** A socket that joins as an admin with a token is refused, and closed with 4401. */
async function assertRefused(visit: Visit, what: string, token: string, code = 'unauthorized'): Promise<void> {
  const client = await visit.connect();
  await client.refused(code, 'admin_join', visit.adminJoin('alice', { token })).catch((error: Error) => {
    throw new Error(`${what}: ${error.message}`);
  });
  same(`the close code of ${what}`, await client.closed(), 4401);
}

export const TOKENS: readonly Case[] = [
  {
    clause: '4',
    says: 'a token is refused that has "alg": "none", another algorithm, no exp, a fraction of one, or another secret',
    async run(visit) {
      const { house } = visit;
      const exp = secondsFromNow(600);
      const good = { ...ADMIN, exp };
      await assertRefused(visit, '"alg": "none"', house.forged(good, { alg: 'none', typ: 'JWT' }));
      await assertRefused(visit, 'HS512', house.forged(good, { alg: 'HS512', typ: 'JWT' }));
      await assertRefused(visit, 'HS384', house.forged(good, { alg: 'HS384', typ: 'JWT' }));
      await assertRefused(visit, 'a token without exp', house.forged(ADMIN));
      await assertRefused(visit, 'exp with a fraction', house.forged({ ...ADMIN, exp: exp + 0.5 }));
      await assertRefused(visit, 'another secret', house.forged(good, undefined, `${house.secret}.`));
      await assertRefused(visit, 'a code', house.forged(good, { alg: 'HS256', typ: 'telle-code+jwt' }));
      await assertRefused(visit, 'nbf in the future', house.forged({ ...good, nbf: exp }));
    },
  },
  {
    clause: '4',
    says: 'a token without iat, and with claims that nobody knows, is as good as any',
    async run(visit) {
      const token = visit.house.forged({ ...ADMIN, exp: secondsFromNow(600), scope: 'x', aud: 'y' });
      await visit.admin('alice', { token });
    },
  },
  {
    clause: '4',
    says: 'a token whose time is over is token_expired, and closed with 4401',
    run: (visit) =>
      assertRefused(visit, 'an expired token', visit.house.token('admin', 'alice', { ttl: -5 }), 'token_expired'),
  },
  {
    clause: '4',
    says: 'at exp a socket gets token_expired, without an id, and is closed with 4401',
    waits: 10_000,
    async run(visit) {
      const { house } = visit;
      const admin = await visit.admin('alice', { token: house.token('admin', 'alice', { ttl: 2 }) });
      same('the close code', await admin.closed(10_000), 4401);
      const last = admin.frames.at(-1);
      same('the last frame', last?.channel, 'error');
      holds('the error', last?.payload ?? {}, { code: 'token_expired', id: undefined, retryable: false });
    },
  },
  {
    clause: '4',
    says: 'an accepted refresh is acked with {"id"}, and its exp binds the socket from then on',
    waits: 10_000,
    async run(visit) {
      const { house } = visit;
      const admin = await visit.admin('alice', { token: house.token('admin', 'alice', { ttl: 3 }) });
      same('the ack', await admin.taken('refresh', { token: house.token('admin', 'alice', { ttl: 600 }) }, 'r1'), {
        id: 'r1',
      });
      await new Promise((resolve) => setTimeout(resolve, 4000));
      await admin.settled();
    },
  },
  {
    clause: '4',
    says: 'a refused refresh closes with 4401; one without a token is invalid_payload, and leaves it open',
    async run(visit) {
      const { house } = visit;
      const admin = await visit.admin();
      await admin.refused('invalid_payload', 'refresh', {});
      await admin.refused('invalid_payload', 'refresh', { token: 7 });
      const others = [
        house.token('admin', 'bob'),
        house.token('server', 'alice'),
        house.token('admin', 'alice', { dealer: 'another' }),
      ];
      for (const token of others) {
        const other = await visit.admin();
        await other.refused('unauthorized', 'refresh', { token });
        same('the close code', await other.closed(), 4401);
      }
    },
  },
  {
    clause: '4',
    says: 'expiresAt is the exp of the token that binds the socket',
    async run(visit) {
      const { session } = await visit.admin('alice', { token: visit.house.token('admin', 'alice', { ttl: 300 }) });
      const left = Date.parse(String(session.expiresAt)) - Date.now();
      check(left > 280_000 && left < 320_000, `expiresAt is ${left} ms away instead of 300000`);
    },
  },
];
