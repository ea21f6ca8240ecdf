/** Redis: what other servers publish and add, and what anybody may say where the nodes speak among themselves. */
import { eventually } from '../stress/house.ts';
import { Outside } from '../support/outside.ts';
import { DEALER } from '../support/server.ts';
import { eventsIn } from './corpus.ts';
import { mutated } from './mutate.ts';
import type { Fuzz } from './part.ts';

/** How many are handed in before they are waited for. */
const AT_ONCE = 200;

const FIELDS = ['event', 'event', 'event', 'event', 'event', 'Event', '', '__proto__', 'payload'];

/** An event's frame, as one node publishes it to the others. */
const published = {
  channel: 'CHAT_MESSAGE',
  payload: { type: 'CHAT_MSG', dealerId: DEALER, groupId: 'g1' },
  id: 'k',
  scope: 'g1',
  seq: 1,
};

export const fuzzRedis: Fuzz = async ({ redis: url, prefix, target }, dice, inputs) => {
  const outside = new Outside(url, prefix);
  const { redis } = outside;
  try {
    for (let left = inputs; left > 0; left -= AT_ONCE) {
      const batch = redis.pipeline();
      for (let n = Math.min(left, AT_ONCE); n > 0; n -= 1) {
        const event = mutated(dice.pick(eventsIn(`g${dice.below(60)}`)), dice);
        const turn = dice.below(10);
        if (turn < 5) batch.xadd(`${prefix}ingress`, '*', dice.pick(FIELDS), event);
        else if (turn < 8) batch.publish(`${prefix}events`, event);
        else {
          // Seqs that the log does not have would be waited for: those that nodes say are believed.
          const text = mutated(published, dice)
            .toString()
            .replace(/"seq":[^,}]*/g, '"seq":1');
          batch.publish(dice.once(4) ? `${prefix}resync` : `${prefix}dealer:${DEALER}`, text);
        }
      }
      await batch.exec();
      await eventually('the stream is read', async () => (await outside.length()) < AT_ONCE);
      if (target.end) return [target.end];
    }
    await eventually('the stream is empty', async () => (await outside.length()) === 0);
    return [];
  } finally {
    outside.close();
  }
};
