import type { Peer } from './peer.ts';

/** One event on its way to the sockets: the same text for every receiver [P-7]. */
export interface Publication {
  readonly dealerId: string;
  readonly scope: string;
  /** Null for what is only passed on and has no place in the log. */
  readonly seq: number | null;
  readonly frame: string;
  /** Of what came from the bus: ms since it was decided, by the clock of the node that did. */
  readonly lag?: number;
  /** The socket whose frame this event is, and the ack that it gets in the event's place (null: it asked for none). */
  readonly answer: { readonly peer: Peer; readonly frame: string | null } | null;
}
