import type { Peer } from './peer.ts';

/** One event on its way to the sockets: what it is, as values, and the same text for every receiver [P-7]. */
export interface Publication {
  /** The type of the event; of a node of a later version, perhaps one that is not known here. */
  readonly type: string;
  readonly dealerId: string;
  /** The group that it is about, also where its scope is the desk's; null for what is about none. */
  readonly groupId: string | null;
  readonly scope: string;
  /** Null for what is only passed on and has no place in the log. */
  readonly seq: number | null;
  /** When it was stored, in ms since 1970, by the clock of the node that did; null for what is only passed on. */
  readonly at: number | null;
  /** Of what came from another node: ms since it was stored, by two nodes' clocks. */
  readonly lag?: number;
  /** The text. Whoever must know what it says reads the values: nobody takes it apart again. */
  readonly frame: string;
  /** The socket whose frame this event is, and the ack that it gets in the event's place (null: it asked for none). */
  readonly answer: { readonly peer: Peer; readonly frame: string | null } | null;
}
