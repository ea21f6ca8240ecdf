/** From what happened to frames: JSON text, made here alone, once, and never read again [P-2.1]. */
import type { Event } from '../../schemas/delivered.ts';
import { errorKind, type Refusal } from '../../schemas/errors.ts';
import type { AckPayload, SessionPayload } from '../../schemas/frames.ts';
import { DELIVERIES } from '../../schemas/table.ts';

/** An event as the log has it. */
interface LoggedEvent {
  readonly id: string;
  readonly scope: string;
  readonly seq: number;
  readonly at: number;
  readonly type: Event['type'];
  /** JSON text. */
  readonly payload: string;
}

/** Where an event was stored, and when, before that is a frame. */
export interface StoredAt {
  readonly scope: string;
  readonly seq: number;
  readonly at: number;
  readonly duplicate: boolean;
}

let lastAt = 0;
let lastInstant = new Date(lastAt).toISOString();

/** RFC 3339, UTC, with milliseconds [P-2.3]. A batch has one time: it is written once. */
export function instant(at: number): string {
  if (at !== lastAt) {
    lastInstant = new Date(at).toISOString();
    lastAt = at;
  }
  return lastInstant;
}

const frame = (channel: string, payload: object): string => JSON.stringify({ channel, payload });

/** [P-2.3] A stored event's frame: the same for every receiver, live, replayed or read over HTTP. */
export const eventFrame = ({ id, scope, seq, at, type, payload }: LoggedEvent): string =>
  `{"channel":"${DELIVERIES[type].channel}","payload":${payload},"id":"${id}","scope":"${scope}","seq":${seq},"at":"${instant(at)}"}`;

/** The frame of what is passed on and not stored: no id, scope, seq or at [P-2.3]. */
export const passingFrame = (type: Event['type'], payload: string): string =>
  `{"channel":"${DELIVERIES[type].channel}","payload":${payload}}`;

/** [P-8.1] The payload of an ack; `stored` is null for what has no seq. */
export const ackPayload = (id: string, stored: StoredAt | null): AckPayload =>
  stored === null
    ? { id }
    : { id, scope: stored.scope, seq: stored.seq, at: instant(stored.at), duplicate: stored.duplicate };

/** Ids and scopes are of characters that JSON has as they are. */
export const ackFrame = (id: string, stored: StoredAt | null): string =>
  stored === null
    ? frame('ack', ackPayload(id, stored))
    : `{"channel":"ack","payload":{"id":"${id}","scope":"${stored.scope}","seq":${stored.seq},"at":"${instant(stored.at)}","duplicate":${stored.duplicate}}}`;

/** [P-9] The payload of an error; `id` repeats the refused frame's, where it had one. */
export const errorPayload = (id: string | undefined, { code, message, details }: Refusal) => ({
  ...(id !== undefined && { id }),
  code,
  message,
  retryable: errorKind(code).retryable,
  ...(details && { details }),
});

export const errorFrame = (id: string | undefined, refusal: Refusal): string =>
  frame('error', errorPayload(id, refusal));

export const sessionFrame = (payload: SessionPayload): string => frame('session', payload);

export const PONG = frame('pong', {});
