/**
 * Frames from all sockets, read one by one. A turn of the event loop reads so many of them and no more: the network hands
 * over megabytes in one turn, and everybody else would wait until all was read. Whoever sends little is read at once; what
 * a flood has beyond that waits, and takes turns as it does where it waits to be stored.
 */
import { FairQueue } from '../journal/queue.ts';
import { BATCH, LEAST } from '../journal/weights.ts';

/** Bytes read in a turn: as many as are stored in one. */
const TURN = BATCH;
/** Bytes of each dealer that are read at once, whatever others have sent: some 16 plain frames. */
const SHARE = TURN / 16;
/** Bytes that a socket may have waiting before no more is taken from it: one more piece of 64 KiB may be on its way. */
const HELD = 4 * 1024;
/** Bytes that may wait in all. More than that is read at once: then memory is scarcer than time. */
const MOST = 16 * 1024 * 1024;

/** A frame of text, as its door has it. */
export type Frame = Buffer | string;

/** A socket, as far as it is read. */
export interface Reader {
  /** The party that it takes turns as: a dealer, and the sender within it. */
  readonly dealerId: string;
  readonly sender: string;
  read(frame: Frame): void;
  /** Takes nothing from the network until it resumes. */
  pause(): void;
  resume(): void;
}

/** Frames of a socket that wait. It keeps its place while it has some: what it sends stays in order, though it joins meanwhile. */
interface Line extends Pick<Reader, 'dealerId' | 'sender'> {
  readonly reader: Reader;
  bytes: number;
  isPaused: boolean;
}

interface Arrival extends Pick<Reader, 'dealerId' | 'sender'> {
  readonly line: Line;
  readonly frame: Frame;
  readonly weight: number;
}

const weightOf = (frame: Frame): number => Math.max(LEAST, frame.length);

export class Arrivals {
  readonly #waiting = new FairQueue<Arrival>(Number.POSITIVE_INFINITY);
  readonly #lines = new Map<Reader, Line>();
  #bytes = 0;
  /** Bytes read in this turn of the event loop: in all, and of each dealer. */
  #read = 0;
  readonly #readOf = new Map<string, number>();
  /** True while the end of this turn is waited for. */
  #isCounting = false;

  /** Reads a frame at once, or lets it wait. */
  arrive(reader: Reader, frame: Frame): void {
    if (!this.#isCounting) this.#count();
    const line = this.#waiting.size > 0 ? this.#lines.get(reader) : undefined;
    const weight = weightOf(frame);
    if (!line && this.#isTimeFor(reader.dealerId, weight)) reader.read(frame);
    else this.#wait(line ?? this.#begin(reader), frame, weight);
  }

  #isTimeFor(dealerId: string, weight: number): boolean {
    const has = this.#readOf.get(dealerId) ?? 0;
    if (this.#read >= TURN && has >= SHARE && this.#bytes < MOST) return false;
    this.#read += weight;
    this.#readOf.set(dealerId, has + weight);
    return true;
  }

  #begin(reader: Reader): Line {
    const { dealerId, sender } = reader;
    const line = { reader, dealerId, sender, bytes: 0, isPaused: false };
    this.#lines.set(reader, line);
    return line;
  }

  #wait(line: Line, frame: Frame, weight: number): void {
    const { dealerId, sender, reader } = line;
    this.#waiting.push({ line, dealerId, sender, frame, weight });
    this.#bytes += weight;
    line.bytes += weight;
    if (line.isPaused || line.bytes < HELD) return;
    line.isPaused = true;
    reader.pause();
  }

  #count(): void {
    this.#isCounting = true;
    setImmediate(() => this.#endTurn());
  }

  /** Begins anew, with those that have waited. */
  #endTurn(): void {
    this.#isCounting = false;
    this.#read = 0;
    this.#readOf.clear();
    if (this.#waiting.size === 0) return;
    this.#count();
    for (const arrival of this.#waiting.take(TURN)) this.#readWaiting(arrival);
  }

  #readWaiting({ line, frame, weight }: Arrival): void {
    this.#read += weight;
    this.#bytes -= weight;
    line.bytes -= weight;
    line.reader.read(frame);
    if (line.bytes > 0) return;
    this.#lines.delete(line.reader);
    if (line.isPaused) line.reader.resume();
  }
}
