/** The log: faults, with what the driver said, and where, but never what it was asked, which holds people's words; and bounds of it. */

/** The innermost cause: what wraps it repeats the query and its parameters. */
export function rootOf(error: Error): Error {
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}

/** The `err` of a log line. */
export function serializeError(error: unknown): { type: string; message: string; stack: string; code?: unknown } {
  if (!(error instanceof Error)) return { type: typeof error, message: '', stack: '' };
  const root = rootOf(error);
  const code = 'code' in root ? { code: root.code } : {};
  return { type: root.name, ...code, message: root.message, stack: root.stack ?? '' };
}

/** Most lines of one kind in a second: those beyond are counted. Kinds that are told apart in it; what is of more is of none. */
const MOST = 50;
const SECOND = 1000;
const MAX_KINDS = 1000;
const OTHERS = 'others';

/** Level of pino at which what is in order is told, too. */
const INFO = 30;

const LEFT_OUT = 'lines were left out';

/**
 * Kind of a line, of which there may be as many as somebody outside likes: its words, and the code or status with which something was refused.
 * Null: it is always told, as are the requests that were served and the acts of the audit.
 */
export function kindOf([fields, words = fields]: readonly unknown[], level: number): string | null {
  const { status, code }: { status?: unknown; code?: unknown } = Object(fields);
  const text = String(words);
  if (text === LEFT_OUT) return null;
  if (level !== INFO) return text;
  if (text === 'request') return Number(status) >= 400 ? `${text} ${status}` : null;
  return text === 'refused' ? `${text} ${code}` : null;
}

/** Bounds of what somebody outside can write into the log: so many lines of a kind in a second, and of the rest their number. */
export class LineBounds {
  #counts = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;
  readonly #tell: (fields: { of: string; count: number }, message: string) => void;

  /** @param tell writes a line about those that were left out */
  constructor(tell: (fields: { of: string; count: number }, message: string) => void) {
    this.#tell = tell;
  }

  /** Counts a line. @returns whether it is to be written */
  take(kind: string | null): boolean {
    if (kind === null) return true;
    const known = this.#counts.has(kind) || this.#counts.size < MAX_KINDS ? kind : OTHERS;
    const count = (this.#counts.get(known) ?? 0) + 1;
    this.#counts.set(known, count);
    this.#timer ??= setTimeout(() => this.end(), SECOND).unref();
    return count <= MOST;
  }

  /** Ends a second, and tells what was left out in it. */
  end(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const counts = this.#counts;
    this.#counts = new Map();
    for (const [of, count] of counts) if (count > MOST) this.#tell({ of, count: count - MOST }, LEFT_OUT);
  }
}

interface Logging {
  readonly level: string;
  readonly stream: NodeJS.WritableStream;
  readonly bounds: LineBounds;
}

/** Options of a logger of pino's. */
export const loggerOptions = ({ level, stream, bounds }: Logging) => ({
  level,
  stream,
  base: null,
  serializers: { err: serializeError },
  hooks: {
    logMethod<Args extends unknown[]>(this: unknown, args: Args, method: (...args: Args) => void, level: number) {
      if (bounds.take(kindOf(args, level))) method.apply(this, args);
    },
  },
});
