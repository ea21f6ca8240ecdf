/** `telle/client`: one conversation with a Telle server, for browsers and Node. */
import { Connection } from './connection.ts';
import { Stream } from './stream.ts';
import type { Client, Options, Role } from './types.ts';

export { TelleError } from './error.ts';
export type * from './types.ts';

/**
 * Connects as a customer, an admin or another server, and stays connected until `close`, or until the server does not
 * want it back. Listen at once: what happens is told from the next turn on, and not again.
 */
export function connect<R extends Role>(options: Options<R>): Client<R> {
  return new Connection(options, async () => ({ Stream }));
}
