/** A clock that jumps: what is numbered, counted and waited for does not depend on the time of day. */
import { RedisProxy } from '../support/proxy.ts';
import { eventually, type House, inHouse, onTwoNodes, range, says } from './house.ts';
import { checkNothingLost, Persistent } from './persistent.ts';
import type { Scenarios } from './scenario.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const RealDate = Date;

/** Moves this process's clock away from the true one, in ms; 0 puts it right. */
function moveClock(by: number): void {
  class Moved extends RealDate {
    constructor(...given: unknown[]) {
      super(...((given.length === 0 ? [RealDate.now() + by] : given) as [number]));
    }
    static override now(): number {
      return RealDate.now() + by;
    }
  }
  globalThis.Date = by === 0 ? RealDate : (Moved as DateConstructor);
}

/** The clock jumps as said for the length of `use`. */
async function jumping(use: (jump: (by: number) => Promise<void>) => Promise<void>): Promise<void> {
  try {
    await use(async (by) => {
      moveClock(by);
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
  } finally {
    moveClock(0);
  }
}

export const clock: Scenarios = {
  /** One node's clock jumps by days, forwards and backwards, while customers talk, come and go. */
  'clock-jumps': ({ ledger }) =>
    inHouse({ settings: { RATE_LIMIT: 'off' }, timing: { presenceGrace: 50 } }, (house) =>
      jumping(async (jump) => {
        let isOver = false;
        const customers = range(10).map((n) => {
          const groupId = `g${n}`;
          const join = (since: Record<string, number>) => house.customer(groupId, { since });
          return new Persistent({ groupId, goesOn: () => !isOver, join });
        });
        const talking = Promise.all(customers.map((customer) => customer.talk()));
        await eventually('everybody is in', () => customers.every(({ joins }) => joins === 1));
        const passer = async (n: number) => (await house.customer(`passer${n}`)).cut();
        for (const [n, by] of [60_000, -60_000, HOUR / 2, -HOUR, -DAY, 0, -10 * DAY, HOUR / 2, 0].entries()) {
          await jump(by);
          await passer(n);
        }
        isOver = true;
        await talking;
        for (const customer of customers) {
          await checkNothingLost(ledger, customer, await house.log(customer.groupId));
          ledger.equal([...customer.refusals], [], 'refusals');
        }
      }),
    ),

  /** The rate limit counts true seconds: a clock that jumps forwards gives nothing, one that jumps back takes nothing. */
  'clock-jumps-and-limits': ({ ledger }) =>
    inHouse({ settings: { RATE_LIMIT: 'on', JOIN_TIMEOUT: '2s' } }, (house) =>
      jumping(async (jump) => {
        const [guest, stranger] = await Promise.all([house.customer('g1'), house.dial()]);
        const from = performance.now();
        for (const by of [DAY, -DAY, DAY]) {
          await jump(by);
          for (const _ of range(30)) guest.send('ping', {});
        }
        await guest.until(() => guest.frames.length >= 2 + 90, 'answers');
        const pongs = guest.of('pong').length;
        const allowed = 20 + Math.ceil(((performance.now() - from) / 1000) * 10);
        ledger.count(90);
        ledger.that(pongs >= 20 && pongs <= allowed, `${pongs} pongs, where ${allowed} were allowed`);
        ledger.equal([guest.isOpen, stranger.isOpen], [true, true], 'sockets that are open');
        ledger.equal(await stranger.closed, 4408, 'how who did not join was closed');
        ledger.that(performance.now() - from > 1800, 'not before the time');
      }),
    ),

  /** Two nodes whose clocks jump while Redis goes and comes: within the five minutes that are allowed for, and beyond. */
  'clock-jumps-on-two-nodes': async (stage) => {
    const { ledger } = stage;
    const proxy = await RedisProxy.to(stage.redis);
    try {
      await onTwoNodes({ ...stage, redis: proxy.url }, (one, other) =>
        jumping(async (jump) => {
          const groups = range(5).map((n) => `g${n}`);
          const guests = await Promise.all([
            ...groups.map((groupId) => other.customer(groupId)),
            other.admin('a1'),
            one.admin('a2'),
          ]);
          let rounds = 0;
          const speak = async (house: House) => {
            await house.post(groups.map((groupId) => says(groupId, `m ${rounds}`)));
            rounds += 1;
          };
          await speak(one);
          for (const by of [4 * 60_000, -4 * 60_000, 0, DAY, -DAY, 0]) {
            await jump(by);
            await speak(one);
            proxy.cut();
            await speak(one);
            await speak(other);
            proxy.mend();
            await speak(other);
          }
          ledger.count(rounds * groups.length);
          for (const guest of guests) {
            const { role, groupId } = guest.session;
            for (const each of groups) if (role === 'admin' || groupId === each) await guest.sees(each, rounds);
            ledger.equal(guest.faults, [], 'breaks of order');
          }
        }),
      );
    } finally {
      await proxy.close();
    }
  },
};
