/** A node's bus on a real Redis, and what it brings. */
import { randomUUID } from 'node:crypto';
import type { Bus } from '../../src/bus/bus.ts';
import { RedisBus } from '../../src/bus/redis.ts';
import type { Publication } from '../../src/hub/publication.ts';
import { Inbox } from './until.ts';

/** A bus that is connected, and what its listener is told. */
export interface BusNode {
  readonly bus: Bus;
  readonly heard: Inbox<Publication>;
  readonly missed: Inbox<string>;
  readonly faults: unknown[];
}

export async function openNode(prefix: string, url: string): Promise<BusNode> {
  const faults: unknown[] = [];
  const bus = new RedisBus({ url, prefix, platform: 'test', onFault: (fault) => faults.push(fault) });
  const [heard, missed, warm] = [new Inbox<Publication>(), new Inbox<string>(), new Inbox<string>()];
  const warmUp = `warm-up:${randomUUID()}`;
  bus.listen({
    // How long it took is nobody's here.
    deliver: ({ lag: _, ...publication }) => heard.put(publication),
    missed: (dealerId) => {
      if (dealerId === warmUp) warm.put(dealerId);
      else if (!dealerId.startsWith('warm-up:')) missed.put(dealerId);
    },
  });
  // It is not connected yet: when it is, what was missed until then is told, and then what it tells comes round.
  await bus.follow(warmUp);
  await warm.first(1);
  bus.resync([warmUp]);
  await warm.first(2);
  bus.unfollow(warmUp);
  return { bus, heard, missed, faults };
}

/** A stored event's frame, as nodes publish it. */
export const stored = (seq: number, { dealerId = 'd1', scope = 'g1', message = '"😀" \u2028' } = {}): Publication => {
  const payload = { type: 'CHAT_MSG', dealerId, groupId: scope, message };
  const at = new Date(1_767_323_045_678);
  const frame = JSON.stringify({ channel: 'CHAT_MESSAGE', payload, id: `k${seq}`, scope, seq, at });
  return { type: payload.type, dealerId, groupId: scope, scope, seq, at: at.getTime(), frame, answer: null };
};

/** What is only passed on. */
export const typing = (dealerId = 'd1', scope = 'g1'): Publication => {
  const payload = { type: 'TYPING', dealerId, groupId: scope, user: 'bot', typing: true };
  const frame = JSON.stringify({ channel: 'TYPING_STATE', payload });
  return { type: payload.type, dealerId, groupId: scope, scope, seq: null, at: null, frame, answer: null };
};
