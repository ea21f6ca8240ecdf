/** What one sender hands in at once, as much and as large as may be: everybody else goes on meanwhile. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Reading } from '../support/metrics.ts';
import { Outside } from '../support/outside.ts';
import { DEALER, inFolder } from '../support/server.ts';
import { type Stall, type Target, type TargetOptions, withTarget } from '../support/target.ts';
import { Endpoint, eventually, range } from './house.ts';
import type { Ledger, Scenarios } from './scenario.ts';

/** How long the event loop may stand still, in ms; and how often it is looked at again where it did for longer. */
const MOST = 100;
const TURNS = 3;

/** As many events of Redis as come at once. */
const LETTERS = 3000;

/** A server on a file, as one is that keeps what it is told. */
const onDisk = ({ settings }: TargetOptions, use: (target: Target) => Promise<void>) =>
  inFolder((folder) =>
    withTarget({ settings: { DATABASE_URL: `sqlite:${join(folder, 'telle.db')}`, ...settings } }, use),
  );

/** Does the very same up to three times: what it does to the event loop it does each time, what the machine did it does not. */
async function stallsNobody(ledger: Ledger, target: Target, what: string, act: () => Promise<void>): Promise<void> {
  const stalls: Stall[] = [];
  do {
    await target.stall();
    await act();
    stalls.push(await target.stall());
  } while (stalls.every(({ busy }) => busy > MOST) && stalls.length < TURNS);
  const busy = Math.min(...stalls.map((stall) => stall.busy));
  ledger.notes.push(`${what}: ${busy.toFixed(0)} ms`);
  ledger.that(busy <= MOST, `${what}: the event loop stood still for ${busy.toFixed(0)} ms`);
}

/** A record of 8 KB with as many fields as fit; eight in a row have no field in common. */
const fieldsOf = (n: number) => Object.fromEntries(range(640).map((at) => [`${n % 8}_${at}`, `${n % 10}`.repeat(2)]));
const update = (groupId: string, message: object) => ({ type: 'UPDATE_LEAD', dealerId: DEALER, groupId, message });

/** A thousand events, by what is large about them. */
const LARGE: Readonly<Record<string, (n: number) => object>> = {
  'leads of one long text': (n) => update(`text${n}`, { comments: 'x'.repeat(8000) }),
  'leads of many fields': (n) => update(`fields${n}`, fieldsOf(n)),
  'updates of one large lead': (n) => update('one', fieldsOf(n)),
  'leads that are refused': (n) => update(`bad${n}`, { ...fieldsOf(n), year: {}, name: 1, email: [], phone: true }),
};

export const stalls: Scenarios = {
  /** A thousand events of 8 KB are posted at once, in several shapes: the event loop is never held for long. */
  'large-events-at-once': ({ ledger }) =>
    onDisk({}, async (target) => {
      const endpoint = new Endpoint(target.at);
      for (const [what, event] of Object.entries(LARGE)) {
        await stallsNobody(ledger, target, what, async () => {
          const results = await endpoint.post(range(1000).map(event));
          ledger.count(results.length);
          ledger.equal(results.length, 1000, 'results');
        });
      }
    }),

  /** Thousands of events that are none come over Redis at once, by both doors: each is kept, and nobody waits for it. */
  'dead-letters-at-once': ({ ledger, redis }) => {
    const prefix = `${randomUUID()}:`;
    const settings = { REDIS_URL: redis, REDIS_PREFIX: prefix, LOG_LEVEL: 'silent' };
    return onDisk({ settings }, async (target) => {
      const outside = new Outside(redis, prefix);
      const doors: Readonly<Record<string, (texts: readonly string[]) => Promise<unknown>>> = {
        'telle:ingress': (texts) => outside.addAll(texts),
        'telle:events': (texts) => Promise.all(texts.map((text) => outside.publish(text))),
      };
      const kept = async () =>
        new Reading(await (await fetch(`http://${target.at}/metrics`)).text()).sum('telle_dead_letters_total');
      try {
        await outside.nodesListen(1);
        let sent = 0;
        for (const [door, send] of Object.entries(doors)) {
          await stallsNobody(ledger, target, door, async () => {
            sent += LETTERS;
            await send(range(LETTERS, sent).map((n) => JSON.stringify({ type: 'NONSENSE', n })));
            await eventually(`${sent} letters are kept`, async () => (await kept()) >= sent);
            ledger.count(LETTERS);
          });
          ledger.equal(await kept(), sent, 'letters');
        }
        ledger.equal(await outside.length(), 0, 'entries left in the stream');
      } finally {
        outside.close();
      }
    });
  },
};
