/**
 * Carries SQLite's write-ahead log into the file on a thread of its own. SQLite lets the commit that fills the log do it:
 * thousands of pages then wait for the disk, and with them everybody who waits for an ack.
 */
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { sqliteModule } from '../../assets.ts';

/** Events after which a server is a busy one, which a thread is worth its 10 MB to. */
export const BUSY = 20_000;
/** Events after which one is worth while, and the least time from one to the next, in ms: each flushes the disk twice. */
const WORTH = 1000;
const PAUSE = 100;
/** One in so many is finished: the writer waits for that. */
const FINISHED = 2;

/**
 * CommonJS of its own, for it has to run wherever the program does, in a clone, in a package and in the one executable.
 * better-sqlite3's errors lose their message on their way to another thread.
 */
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const Database = require(workerData.sqlite);
  const plainly = (act) => {
    try {
      return act();
    } catch ({ message }) {
      throw new Error(message);
    }
  };
  const client = plainly(() => new Database(workerData.file, { fileMustExist: true }));
  parentPort.on('message', (word) => {
    if (word === 'close') {
      client.close();
      parentPort.close();
    } else {
      plainly(() => client.pragma('wal_checkpoint(PASSIVE)'));
      parentPort.postMessage('done');
    }
  });
`;

export class Checkpoints {
  readonly #file: string;
  readonly #finish: () => void;
  #thread: Worker | null = null;
  #isUnderWay = false;
  /** Settles with the one that is under way, or was last. */
  #settled = Promise.resolve();
  #settle: () => void = () => {};
  #events = 0;
  #count = 0;
  #endedAt = 0;

  /**
   * @param finish carries over what was written meanwhile, on the connection that writes: only where nothing is left does
   *   the log begin anew
   */
  constructor(file: string, finish: () => void) {
    this.#file = file;
    this.#finish = finish;
  }

  /** So many events were committed. */
  wrote(events: number): void {
    this.#events += events;
    if (this.#events < (this.#count === 0 ? BUSY : WORTH)) return;
    if (this.#isUnderWay || performance.now() - this.#endedAt < PAUSE) return;
    this.#thread ??= this.#start();
    this.#begin(this.#thread);
  }

  /** Resolves when most of what was committed is in the file, where there is a thread to carry it. */
  async carried(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    if (!this.#isUnderWay) this.#begin(thread);
    await this.#settled;
  }

  /** Resolves when the thread and its connection are gone. */
  async close(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    thread.ref();
    thread.postMessage('close');
    await new Promise((resolve) => thread.once('exit', resolve));
  }

  #begin(thread: Worker): void {
    this.#events = 0;
    this.#isUnderWay = true;
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    thread.postMessage('checkpoint');
  }

  #start(): Worker {
    const workerData = { sqlite: sqliteModule(), file: this.#file };
    const thread = new Worker(THREAD, { eval: true, workerData, execArgv: [] });
    thread.unref();
    thread.on('message', () => {
      this.#count += 1;
      if (this.#count % FINISHED === 0) this.#finish();
      this.#isUnderWay = false;
      this.#endedAt = performance.now();
      this.#settle();
    });
    thread.on('exit', () => this.#settle());
    // It stays under way for ever: from now on the commits do it.
    thread.on('error', ({ message }) => {
      this.#thread = null;
      process.emitWarning(`SQLite's log is carried into its file by commits from now on: ${message}`);
    });
    return thread;
  }
}
