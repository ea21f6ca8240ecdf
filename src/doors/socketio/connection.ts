/** [P-19.1] A conversation over a session of Engine.IO: what Socket.IO's packets say is said to it as frames. */
import { randomUUID } from 'node:crypto';
import type { Socket as Session } from 'engine.io';
import { type Packet, PacketType } from 'socket.io-parser';
import { CLOSE, RefusedError, refused } from '../../../schemas/errors.ts';
import type { Settings } from '../../../schemas/settings.ts';
import type { Entrance } from '../../conversation/admission.ts';
import type { Conversation } from '../../conversation/conversation.ts';
import type { Conversations } from '../../conversation/conversations.ts';
import { isJsonObject } from '../../protocol/checker.ts';
import { isKey } from '../../protocol/decode.ts';
import type { Timing } from '../../timing.ts';
import type { Dialect, Tongue } from '../dialect.ts';
import { controlPacket, emissionOf, framesOf, isBinary, readPacket, saidPacket } from './packets.ts';
import { EngineSocket } from './socket.ts';

/** The parts that all of them share. */
interface Shared {
  readonly conversations: Conversations;
  readonly settings: Settings;
  readonly timing: Timing;
  readonly dialect: Dialect | null;
}

/** The one namespace. */
const DEFAULT = '/';

/** Codes of an end that the other side brought about, by Engine.IO's reason for it. */
const ENDS: Readonly<Record<string, number>> = { 'transport close': 1005, 'forced close': 1000 };
const LOST = 1006;

/** Entrance of a client, which may yet bring its token in Socket.IO's own place for it. */
type Enters = { -readonly [Field in keyof Entrance]: Entrance[Field] };

interface Talking {
  readonly sid: string;
  readonly session: Session;
  readonly socket: EngineSocket;
  readonly conversation: Conversation;
  readonly entrance: Enters;
  readonly dialect: Dialect | null;
  /** Language of a client that says JSON as text, where there is a dialect. */
  readonly tongue: Tongue | null;
  /** True once it is in the one namespace: to come in is free, once. */
  isIn: boolean;
}

/** Begins a conversation over a session that has just been opened. */
export function connect(
  { conversations, settings, timing, dialect }: Shared,
  sid: string,
  session: Session,
  entrance: Entrance,
): EngineSocket {
  const tongue = dialect?.speak(entrance.address) ?? null;
  const socket = new EngineSocket(session, timing.closeTimeout, tongue);
  const enters = { ...entrance };
  const conversation = conversations.begin(socket, enters);
  if (!conversation) return socket;
  const isIn = session.protocol === 3;
  const talking = { sid, session, socket, conversation, entrance: enters, dialect, tongue, isIn };
  // A client of version 2 is in the one namespace without asking.
  if (isIn) welcome(talking);
  session.on('packet', ({ type }: { type: string }) => {
    if (type === 'error') {
      socket.isBroken = true;
      conversation.close(CLOSE.badFrames, 'this is no packet of Engine.IO');
    } else if (type !== 'message') conversation.hearControl();
  });
  session.on('data', (data: unknown = '') => {
    if (!socket.isOpen) return;
    if (typeof data !== 'string' || isBinary(data)) conversation.close(CLOSE.binary, 'binary packet');
    else if (Buffer.byteLength(data) > settings.MAX_FRAME_BYTES) conversation.close(CLOSE.tooLarge, 'too large');
    else hear(talking, data);
  });
  session.on('close', (reason: string) => conversation.end(ENDS[reason] ?? LOST));
  return socket;
}

function hear(talking: Talking, text: string): void {
  const { conversation } = talking;
  try {
    take(talking, readPacket(text));
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    conversation.refuse(undefined, error);
  }
}

/** @throws RefusedError `bad_frame`, or `unknown_channel` for another namespace */
function take(talking: Talking, packet: Packet): void {
  const { conversation, socket } = talking;
  const [namespace = DEFAULT] = packet.nsp.split('?');
  if (namespace !== DEFAULT) refuseNamespace(talking, packet.type, namespace);
  else if (packet.type === PacketType.EVENT) hearEvent(talking, packet);
  else if (packet.type === PacketType.CONNECT) greet(talking, packet);
  else if (packet.type === PacketType.DISCONNECT) socket.leave();
  else if (packet.type === PacketType.ACK)
    conversation.hearControl(); // to nobody: no event asks for one
  else throw refused('bad_frame', 'this packet is a server’s');
}

/** A client of version 3 or later asks for the one namespace: its `auth` may hold its token. */
function greet(talking: Talking, { data }: Packet): void {
  const { conversation, entrance } = talking;
  if (isJsonObject(data) && typeof data.token === 'string') entrance.bearer = data.token;
  if (talking.isIn) conversation.hearControl();
  talking.isIn = true;
  welcome(talking);
}

function welcome({ sid, session, socket, dialect }: Talking): void {
  const named = session.protocol === 3 ? {} : { data: { sid } };
  socket.write(controlPacket({ type: PacketType.CONNECT, nsp: DEFAULT, ...named }));
  if (dialect) socket.write(saidPacket(dialect.greeting));
}

function refuseNamespace({ session, socket }: Talking, type: PacketType, nsp: string): never {
  const message = 'there is the default namespace alone';
  if (type === PacketType.CONNECT) {
    const data = session.protocol === 3 ? message : { message };
    socket.write(controlPacket({ type: PacketType.CONNECT_ERROR, nsp, data }));
  }
  throw refused('unknown_channel', message);
}

/** A frame; where it has a callback, that gets the answer to it. */
function hearEvent({ socket, conversation, tongue }: Talking, packet: Packet): void {
  const emission = emissionOf(packet);
  socket.saysText = typeof emission.argument === 'string';
  const key = isKey(emission.id) ? emission.id : undefined;
  const answerBy = (id: string | undefined): string | undefined => {
    if (packet.id === undefined) return id;
    const awaited = id ?? randomUUID();
    socket.awaits(awaited, packet.id);
    return awaited;
  };
  try {
    if (emission.id !== undefined && key === undefined)
      throw refused('bad_frame', 'id: expected 1 to 64 of A-Z a-z 0-9 . _ : -');
    const frames = framesOf(emission, key, tongue);
    const last = frames.pop();
    for (const frame of frames) conversation.hear(JSON.stringify(frame));
    if (last) conversation.hear(JSON.stringify({ ...last, id: answerBy(last.id) }));
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    conversation.refuse(answerBy(key), error);
  }
}
