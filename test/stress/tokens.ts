/** A socket outlives its token by nothing [P-4], and its dealer neither [P-11.5]. */
import { ALL_DEALERS } from '../../schemas/table.ts';
import { secondsFromNow } from '../../src/auth/tokens.ts';
import { DEALER } from '../support/server.ts';
import type { Guest } from './guest.ts';
import { inHouse, range } from './house.ts';
import type { Scenarios } from './scenario.ts';

/** How much later than said a timer of a busy process may fire, in ms. */
const LATE = 300;

/** Talks without a pause until the socket closes. */
async function talk(guest: Guest, word: string): Promise<void> {
  for (let n = 0; guest.isOpen; n += 1) {
    const id = `${word}-${n}`;
    await guest.ask('customer_message', { type: 'UPDATE_MSG', message: id }, id).catch(() => {});
  }
}

export const tokens: Scenarios = {
  /** Forty talk on while their tokens expire; half of them have refreshed, and go on. */
  'token-expiry-mid-chat': ({ ledger }) =>
    inHouse({}, async (house) => {
      // Time enough for all of them to join and to refresh on a machine that has other things to do.
      const exp = secondsFromNow(4);
      const sign = (sub: string, ends: number) =>
        house.server.tokens.sign({ role: 'customer', dealer: DEALER, sub, exp: ends });
      const guests = await Promise.all(
        range(40).map(async (n) => house.customer(`g${n}`, { token: await sign(`g${n}`, exp) })),
      );
      const talking = guests.map((guest, n) => talk(guest, `c${n}`));
      const [lapsed, refreshed] = [guests.slice(0, 20), guests.slice(20)];
      for (const [index, guest] of refreshed.entries()) {
        const token = await sign(`g${20 + index}`, secondsFromNow(3600));
        ledger.equal((await guest.ask('refresh', { token }, 'refresh')).channel, 'ack', 'a refresh');
      }
      const codes = await Promise.all(lapsed.map(({ closed }) => closed));
      ledger.equal(
        codes,
        range(20).map(() => 4401),
        'how the others were closed',
      );
      for (const guest of lapsed) {
        ledger.equal(
          guest.of('error').map(({ code }) => code),
          ['token_expired'],
          'what they were told',
        );
      }
      await Promise.all(refreshed.map((guest) => guest.ask('ping', {})));
      ledger.equal(refreshed.filter(({ isOpen }) => isOpen).length, 20, 'who goes on');
      for (const n of range(20)) {
        const log = await house.log(`g${n}`);
        const acked = [...(lapsed[n]?.answers.values() ?? [])].filter(({ seq }) => seq !== undefined);
        ledger.count(log.length);
        ledger.that(
          log.every(({ at }) => at <= exp * 1000 + LATE),
          `nothing of g${n} is later than its token`,
        );
        ledger.that(acked.length <= log.length, `all that was acked of g${n} is stored`);
      }
      await Promise.all(refreshed.map((guest) => guest.cut()));
      await Promise.all(talking);
    }),

  /** A dealer is removed while its customers talk: all are sent away, and nothing of it is left or comes again. */
  'dealer-removed-mid-chat': ({ ledger }) =>
    inHouse({}, async (house) => {
      const guests = await Promise.all(range(60).map((n) => house.customer(`g${n}`)));
      const silent = await Promise.all(range(20).map((n) => house.customer(`g${n}`)));
      const talking = guests.map((guest, n) => talk(guest, `c${n}`));
      await guests[0]?.sees('g0', 20);
      const token = await house.server.token('server', 'operator', { dealer: ALL_DEALERS });
      const { status } = await house.server.http('DELETE', `/v1/dealers/${DEALER}`, { token });
      ledger.equal(status, 204, 'the removal');
      const codes = await Promise.all([...guests, ...silent].map(({ closed }) => closed));
      ledger.equal([...new Set(codes)], [4404], 'how everybody was closed');
      await Promise.all(talking);
      const tails = await house.tails('@dealer', '@desk', ...range(60).map((n) => `g${n}`));
      ledger.count(guests.reduce((sum, { answers }) => sum + answers.size, 0));
      ledger.equal(
        [...tails.values()].filter((seq) => seq > 0),
        [],
        'scopes that are left',
      );
      const again = await house.customer('g0').catch((error: Error) => error.message);
      ledger.equal(again, 'not joined: unknown_dealer', 'coming back');
    }),
};
