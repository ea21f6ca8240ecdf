import type { Publication } from '../hub/publication.ts';

/** Listener of the bus, which never throws. */
export interface Listener {
  /** An event: on this node at once, from another as it comes. What came from another has no answer. */
  deliver(publication: Publication): void;
  /** Events of the dealer may not have come: the log has them. */
  missed(dealerId: string): void;
}

/**
 * Carries committed events between nodes. Even on one node the bus alone feeds the hub, so that one node and many behave
 * alike. It may lose, repeat and reorder what comes from other nodes, and says so where it knows: the sequencer mends it.
 * Implementations must pass `test/conformance/bus.ts`.
 */
export interface Bus {
  /** Called once, before anything is published. */
  listen(listener: Listener): void;
  /** Hands committed events on, in order; to this node's listener before it returns. */
  publish(publications: readonly Publication[]): void;
  /** Resolves when events of the dealer (`*`: of any) come from other nodes, or at once while they cannot. */
  follow(dealerId: string): Promise<void>;
  unfollow(dealerId: string): void;
  /** Tells every node, this one too, that events of these dealers may have been committed and not published. */
  resync(dealerIds: Iterable<string>): void;
  close(): Promise<void>;
}
