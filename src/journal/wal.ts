/** Watch over the write-ahead log of an embedded database, which grows without bound while a reader holds on to its beginning. */
import type { Upkeep } from '../store/upkeep.ts';

const MIB = 1024 * 1024;

/** Bytes from which it is told of: many times what a busy server's has. */
const LARGE = 256 * MIB;

/** Looks again and again, and tells of a log that is large, and again each time that it has doubled. @returns what ends it */
export function watchWal(
  { walBytes }: Pick<Upkeep, 'walBytes'>,
  interval: number,
  tell: (sentence: string) => void,
): () => void {
  if (walBytes === null) return () => {};
  let limit = LARGE;
  const timer = setInterval(() => {
    const bytes = walBytes();
    if (bytes < LARGE) limit = LARGE;
    if (bytes < limit) return;
    while (limit <= bytes) limit *= 2;
    tell(
      `the write-ahead log has ${Math.floor(bytes / MIB)} MiB and grows: another program reads from the database and does not end (a shell, telle export, telle backup): end it`,
    );
  }, interval).unref();
  return () => clearInterval(timer);
}
