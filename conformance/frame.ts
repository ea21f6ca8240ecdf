/** Frames [P-2.3], and what is true of each of them, whoever sends it. */

export interface Frame {
  readonly channel: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly id?: string;
  readonly scope?: string;
  readonly seq?: number;
  readonly at?: string;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** [P-2.3] Fields that a stored event's frame carries, and no other frame does. */
const OF_EVENTS = ['id', 'scope', 'seq', 'at'] as const;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads a frame of the server's. @throws where it breaks [P-2.3] */
export function frameOf(text: string): Frame {
  const value: unknown = JSON.parse(text);
  const fail = (why: string): never => {
    throw new Error(`[2.3] ${why}: ${text.replace(/"token":"[^"]*"/g, '"token":"…"').slice(0, 300)}`);
  };
  if (!isObject(value) || !isObject(value.payload)) return fail('a frame is {channel, payload}');
  const { channel, payload, id, scope, seq, at } = value;
  if (typeof channel !== 'string') return fail('a channel is a string');
  const there = OF_EVENTS.filter((name) => value[name] !== undefined);
  if (there.length === 0) return { channel, payload };
  if (typeof id !== 'string' || typeof scope !== 'string' || typeof at !== 'string' || typeof seq !== 'number')
    return fail(`a stored event's frame has ${OF_EVENTS.join(', ')}, and any other none of them`);
  if (!Number.isSafeInteger(seq) || seq < 1) return fail('a seq is an integer from 1');
  if (!INSTANT.test(at)) return fail('"at" is an RFC 3339 UTC time with milliseconds');
  return { channel, payload, id, scope, seq, at };
}
