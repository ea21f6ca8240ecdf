/** Story of the examples: each step is a frame that somebody sends, and its effects. */
import type { Event } from './delivered.ts';
import type { AckPayload } from './frames.ts';
import type { Role } from './kinds.ts';
import { DELIVERIES, scopeOf } from './table.ts';

/** The dealer and the chat of the story. */
export const DEALER = 'demo-motors';
export const GROUP = 'web-4711';

/** Cast of the story: a customer's chat widget, an agent, and a bot. Each has one socket, and joins with its first step. */
export const CAST = { widget: 'customer', alice: 'admin', bot: 'server' } as const satisfies Record<string, Role>;
export type Actor = keyof typeof CAST;
export const ACTORS: readonly Actor[] = ['widget', 'alice', 'bot'];

export interface Frame {
  readonly channel: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly id?: string;
  readonly scope?: string;
  readonly seq?: number;
  readonly at?: string;
}

/** A frame that comes of a step, and whose sockets get it. */
export interface Delivery {
  readonly to: readonly Actor[];
  readonly frame: Frame;
}

export interface Step {
  readonly by: Actor;
  /** Title, in a sentence. */
  readonly title: string;
  readonly sends: Frame;
  /** Everything that comes of it: each socket gets what is its own, in this order, and nothing else. */
  readonly then: readonly Delivery[];
}

/** A JSON Web Token that nobody signed. */
export const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJleGFtcGxlIn0.c2lnbmVkLWJ5LW5vYm9keQ';

/** The log's epoch. */
export const EPOCH = 'k3v9d2';

/** A time of the story's day. */
export const on = (time: string): string => `2026-03-14T${time}Z`;

export const step = (by: Actor, title: string, sends: Frame, ...then: Delivery[]): Step => ({ by, title, sends, then });

export const sent = (channel: string, payload: Frame['payload'], id: string): Frame => ({ channel, payload, id });

/** An answer, to the sender alone. */
export const answered = (to: Actor, channel: string, payload: object): Delivery => ({
  to: [to],
  frame: { channel, payload: { ...payload } },
});

/** The ack of what has a seq, or of what has none. */
export function acked(to: Actor, id: string, stored?: { scope: string; seq: number; at: string }): Delivery {
  const payload: AckPayload = stored ? { id, ...stored, duplicate: false } : { id };
  return answered(to, 'ack', payload);
}

/** An event, stored or only passed on. */
export function told(
  to: readonly Actor[],
  { type, ...fields }: Readonly<Record<string, unknown>> & { readonly type: Event['type'] },
  stored?: { id: string; seq: number; at: string },
): Delivery {
  const payload = { type, dealerId: DEALER, ...fields };
  const scope = scopeOf(type, typeof fields.groupId === 'string' ? fields.groupId : undefined);
  const { channel } = DELIVERIES[type];
  return { to, frame: { channel, payload, ...(stored && { id: stored.id, scope, seq: stored.seq, at: stored.at }) } };
}
