/** [P-19.1] Frames as Socket.IO carries them: an event, whose name is the channel, with the payload and where that is stored. */
import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser';
import { refused } from '../../../schemas/errors.ts';
import type { Frame } from '../../../schemas/story.ts';
import { depthWithin, isJsonObject } from '../../protocol/checker.ts';
import type { Said, Tongue } from '../dialect.ts';
import { framed } from '../websocket/socket.ts';

/** Channels whose names Socket.IO has taken for itself, and the events that they are. */
const EVENTS: Readonly<Record<string, string>> = { error: 'telle_error', ping: 'telle_ping', pong: 'telle_pong' };
const CHANNELS = new Map(Object.entries(EVENTS).map(([channel, event]) => [event, channel]));
/** Event by which a close tells its code and reason: Socket.IO has no place for them. */
export const CLOSING = 'telle_close';

/** A packet as it leaves: its text, and the frame that a WebSocket carries it in. */
export interface Leaving {
  readonly text: string;
  readonly frame: Buffer;
}

/** The packets of one frame, made when they are first needed: as JSON, and with JSON as text. */
interface Told {
  readonly text: string;
  readonly frame: Frame;
  asJson?: Leaving;
  asText?: Leaving;
}

/** Engine.IO's type of a packet that is a message. */
const MESSAGE = '4';

const leaving = (text: string): Leaving => ({ text, frame: framed(MESSAGE + text) });

let last: Told | undefined;

/** The hub hands the same text to one socket after another: it is read for the first. */
export function told(text: string): Told {
  if (last?.text !== text) last = { text, frame: JSON.parse(text) };
  return last;
}

/** The packet of a frame. @param isText whether arguments are JSON as text */
export function eventPacket(one: Told, isText: boolean): Leaving {
  if (isText) one.asText ??= packetOf(one.frame, isText);
  else one.asJson ??= packetOf(one.frame, isText);
  return (isText ? one.asText : one.asJson) ?? packetOf(one.frame, isText);
}

function packetOf({ channel, payload, id, scope, seq, at }: Frame, isText: boolean): Leaving {
  const place = id === undefined ? [] : [{ id, scope, seq, at }];
  return emitted(EVENTS[channel] ?? channel, [payload, ...place], isText);
}

/** The packet of an event that is no frame. */
export const emitted = (event: string, values: readonly (object | string)[], isText: boolean): Leaving =>
  leaving(PacketType.EVENT + JSON.stringify([event, ...said(values, isText)]));

/** The packet that calls a client's callback. */
export const called = (callback: number, value: object, isText: boolean): Leaving =>
  leaving(`${PacketType.ACK}${callback}${JSON.stringify(said([value], isText))}`);

const said = (values: readonly (object | string)[], isText: boolean) =>
  isText ? values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))) : values;

const asSaid = new WeakMap<Said, Leaving>();
/** The packet of what a dialect says: its one argument is JSON as text. The same for many is written once. */
export function saidPacket(one: Said): Leaving {
  const packet = asSaid.get(one) ?? emitted(EVENTS[one.event] ?? one.event, [one.payload], true);
  asSaid.set(one, packet);
  return packet;
}

const encoder = new Encoder();
/** A packet that is no event. */
export const controlPacket = (packet: Packet): Leaving => leaving(String(encoder.encode(packet)[0]));

const NO_PACKET = 'this is no packet of Socket.IO';
const decoder = new Decoder();
let decoded: Packet | undefined;
decoder.on('decoded', (packet) => {
  decoded = packet;
});

/** Tells whether a packet announces binary ones. */
export const isBinary = (text: string): boolean => /^[56]/.test(text);

/** Reads a packet that is not binary. @throws RefusedError `bad_frame` */
export function readPacket(text: string): Packet {
  decoded = undefined;
  try {
    if (text !== '') decoder.add(text); // which would be a CONNECT
  } catch (cause) {
    throw refused('bad_frame', NO_PACKET, {}, { cause });
  }
  if (!decoded) throw refused('bad_frame', NO_PACKET);
  return decoded;
}

/** An event of a client's, as it has said it. */
export interface Emission {
  readonly channel: unknown;
  readonly argument: unknown;
  /** As the second argument has it: the frame's own [P-2.3]. */
  readonly id: unknown;
}

export function emissionOf({ data }: Packet): Emission {
  const [event, argument, more]: unknown[] = Array.isArray(data) ? data : [];
  const channel = typeof event === 'string' ? (CHANNELS.get(event) ?? event) : event;
  return { channel, argument, id: isJsonObject(more) ? more.id : undefined };
}

/** The deepest nesting of a payload that is read. */
const MAX_DEPTH = 32;

/** A frame of a client's, before it is checked. */
interface Uttered {
  readonly channel: unknown;
  readonly payload: unknown;
  readonly id?: string | undefined;
}

/** The frames that an event stands for: one, unless a dialect makes more of it. @throws RefusedError `bad_frame` */
export function framesOf({ channel, argument }: Emission, id: string | undefined, tongue: Tongue | null): Uttered[] {
  const payload = typeof argument === 'string' ? parsed(argument) : argument;
  // What follows takes it apart, and writes it again.
  if (!depthWithin(payload, MAX_DEPTH)) throw refused('bad_frame', `the payload is nested deeper than ${MAX_DEPTH}`);
  const isSaid = typeof argument === 'string' && typeof channel === 'string' && isJsonObject(payload);
  return isSaid && tongue ? [...tongue.hear(channel, payload, id)] : [{ channel, payload, id }];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refused('bad_frame', 'the payload is text that is not JSON', {}, { cause });
  }
}
