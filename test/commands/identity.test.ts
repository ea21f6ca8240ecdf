/** [P-4] Whom a token stands for, and whether it is still taken, on real SQLite. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RefusedError } from '../../schemas/errors.ts';
import type { Role } from '../../schemas/kinds.ts';
import { secondsFromNow } from '../../src/auth/tokens.ts';
import { presenceCommand } from '../../src/commands/command.ts';
import { credentialOf, identify, renamed } from '../../src/commands/identity.ts';
import type { House } from '../../src/conversation/house.ts';
import type { Entry } from '../../src/domain/state.ts';
import { withHouse } from '../support/house.ts';

type Marks = Parameters<House['tokens']['sign']>[1];
interface Party {
  readonly role: Role;
  readonly dealer?: string;
  readonly sub?: string;
  readonly gen?: number;
}

/** How somebody is identified by a token: a session, or the code and the words of a refusal. */
async function identified(house: House, { role, dealer = 'd1', sub = 'x', gen }: Party, marks?: Marks) {
  const claims = { role, dealer, sub, exp: secondsFromNow(60), ...(gen !== undefined && { gen }) };
  try {
    return await identify(house, house.tokens.sign(claims, marks));
  } catch (error) {
    assert.ok(error instanceof RefusedError, String(error));
    return [error.refusal.code, error.refusal.message];
  }
}

const inHouse = (use: (house: House) => Promise<void>) => () => withHouse({}, use);

describe('a token', () => {
  it(
    'stands for whom it names, as long as nobody takes it back',
    inHouse(async (house) => {
      assert.deepEqual(await identified(house, { role: 'admin' }), { role: 'admin', dealerId: 'd1', adminId: 'x' });
      assert.deepEqual(await identified(house, { role: 'customer' }, { ours: true }), {
        role: 'customer',
        dealerId: 'd1',
        groupId: 'x',
        minted: false,
      });
    }),
  );

  for (const role of ['customer', 'admin', 'server'] as const) {
    it(
      `that was revoked, of role ${role}, is told the generation that is taken, which is`,
      inHouse(async (house) => {
        const least = await house.store.raise('d1', { role, sub: 'x' });
        assert.deepEqual(await identified(house, { role }), [
          'unauthorized',
          `the token was revoked: one that is minted now says "gen": ${least} or more`,
        ]);
        assert.ok('role' in (await identified(house, { role, gen: least })));
        assert.ok('role' in (await identified(house, { role, sub: 'another' })));
      }),
    );
  }

  it(
    'that was spent by its own name is revoked, and no other of the same holder',
    inHouse(async (house) => {
      await house.store.spend('d1', 't1', Date.now() + 60_000);
      assert.deepEqual(await identified(house, { role: 'admin' }, { tokenId: 't1' }), [
        'unauthorized',
        'the token was revoked',
      ]);
      assert.ok('role' in (await identified(house, { role: 'admin' }, { tokenId: 't2' })));
    }),
  );

  it(
    'of a dealer that was removed is told so; one of a server of all dealers, that it was revoked',
    inHouse(async (house) => {
      await house.store.raise('gone');
      await house.store.raise('*');
      assert.deepEqual(await identified(house, { role: 'admin', dealer: 'gone' }), [
        'unknown_dealer',
        'there is no such dealer',
      ]);
      const [code] = Object.values(await identified(house, { role: 'server', dealer: '*' }));
      assert.equal(code, 'unauthorized');
    }),
  );
});

describe('[P-3.1] the token that a claim was given', () => {
  const who = { role: 'customer', dealerId: 'd1', groupId: 'x' } as const;
  const kept = (house: House) => identified(house, { role: 'customer' }, { ours: true });
  const come = (house: House, by: Entry) => house.journal.append(presenceCommand(who, 'n1', true, by));
  const CLAIM = { by: 'claim', id: undefined, at: 1, isHere: false } as const;

  it(
    'goes on under another name where a minted token came for its own',
    inHouse(async (house) => {
      await come(house, CLAIM);
      assert.deepEqual(await kept(house), { ...who, minted: false });
      await come(house, { by: 'minted', spare: 'spare' });
      assert.deepEqual(await kept(house), { ...who, groupId: 'spare', minted: false });
    }),
  );

  it(
    'opens nothing where its conversation became the minted customer’s',
    inHouse(async (house) => {
      await come(house, CLAIM);
      await come(house, { by: 'adopted' });
      assert.deepEqual(await kept(house), ['unauthorized', 'this name is held by a token that its dealer minted']);
    }),
  );
});

describe('a credential', () => {
  const claims = { role: 'customer', dealer: 'd1', sub: 'x', exp: 1 } as const;
  const credential = { claims, gen: 7, tokenId: 't1', minted: false };

  it('is minted where Telle did not give it out', () => {
    const verified = { claims, issuedAt: undefined, tokenId: 't1', ttl: undefined };
    assert.deepEqual(credentialOf({ ...verified, ours: false }), { claims, gen: 0, tokenId: 't1', minted: true });
    assert.equal(credentialOf({ ...verified, ours: true }).minted, false);
  });

  it('goes on under the name that its conversation has now, and is the same where that is its own', () => {
    assert.equal(renamed(credential, 'x'), credential);
    assert.deepEqual(renamed(credential, 'y'), { ...credential, claims: { ...claims, sub: 'y' } });
  });
});
