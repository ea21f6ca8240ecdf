/** A socket of the generator: plain TCP, that reads into one buffer for all, and says what each frame is. */
import { connect, type Socket } from 'node:net';
import type { Dialect, Kind, Member } from './dialect.ts';
import { pongFrame, scan, textFrame } from './wire.ts';

/** One for all sockets: what is read is looked at before the next read. */
const READ = Buffer.allocUnsafe(256 * 1024);
const NOTHING = Buffer.alloc(0);
const UPGRADED = 'HTTP/1.1 101';
const CLOSE = 8;
const PING = 9;

export interface Listener {
  /** A frame that is counted. `bytes` are read over after the call. */
  frame(line: Line, kind: Kind, bytes: Buffer, start: number, end: number): void;
  /** All frames of one read were handed over. */
  turn(line: Line): void;
  /** It is gone, though nobody cut it. */
  gone(line: Line, why: string): void;
}

export class Line {
  readonly member: Member;
  readonly #dialect: Dialect;
  readonly #listener: Listener;
  readonly #socket: Socket;
  #rest = NOTHING;
  #isUpgraded = false;
  #isCut = false;
  /** What its acks let it send. */
  credit = 0;
  sent = 0;

  constructor(member: Member, dialect: Dialect, listener: Listener) {
    this.member = member;
    this.#dialect = dialect;
    this.#listener = listener;
    const onread = {
      buffer: READ,
      callback: (count: number) => {
        this.#take(READ.subarray(0, count));
        return true;
      },
    };
    this.#socket = connect({ port: member.port, host: '127.0.0.1', noDelay: true, onread });
    this.#socket.on('error', (error) => this.#end(error.message));
    this.#socket.on('close', () => this.#end('closed'));
    this.#socket.write(
      `GET ${dialect.path} HTTP/1.1\r\nHost: 127.0.0.1:${member.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  cut(): void {
    this.#isCut = true;
    this.#socket.resetAndDestroy();
  }

  #end(why: string): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#listener.gone(this, why);
  }

  #take(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#isUpgraded) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = Buffer.from(bytes);
        return;
      }
      if (!bytes.toString('latin1', 0, UPGRADED.length).startsWith(UPGRADED)) {
        this.#end(bytes.toString('latin1', 0, end));
        return;
      }
      this.#isUpgraded = true;
      if (!this.#dialect.greets) this.#join();
      bytes = bytes.subarray(end + 4);
    }
    const read = scan(bytes, (opcode, start, end) => this.#frame(opcode, bytes, start, end));
    this.#rest = read === bytes.length ? NOTHING : Buffer.from(bytes.subarray(read));
    this.#listener.turn(this);
  }

  #join(): void {
    this.write(textFrame(this.#dialect.join(this.member)));
  }

  #frame(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === PING) this.write(pongFrame(bytes.subarray(start, end)));
    else if (opcode === CLOSE) this.#end(`closed with ${bytes.toString('latin1', start + 2, end)}`);
    else this.#told(this.#dialect.kind(bytes, start), bytes, start, end);
  }

  #told(kind: Kind, bytes: Buffer, start: number, end: number): void {
    if (kind === 'opened') this.write(textFrame('40'));
    else if (kind === 'ping') this.write(textFrame('3'));
    else if (kind === 'connected') this.#join();
    else this.#listener.frame(this, kind, bytes, start, end);
  }
}
