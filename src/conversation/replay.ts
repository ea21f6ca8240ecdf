/** [P-3.6] Replay of what a socket missed, page by page: a page is read from the log when the one before it has left. */
import type { Since } from '../../schemas/frames.ts';
import { readInTurn } from '../commands/turns.ts';
import { dropAsSlow, type Peer } from '../hub/peer.ts';
import { eventFrame } from '../protocol/encode.ts';
import type { LogStore } from '../store/log.ts';
import type { House } from './house.ts';
import type { Missed } from './recovery.ts';

/** Limits of what is read before any of it is sent: events, and bytes of them. */
const PAGE = { limit: 500, bytes: 64 * 1024 };
/** The part of a socket's backlog that may be unsent: the rest is for what happens meanwhile. */
const SHARE = 1 / 4;

/** Parts that replay the log. */
export interface Replaying extends Pick<House, 'settings' | 'timing'> {
  readonly store: LogStore;
}

/**
 * Sends what each recovered scope has had since, in order, no faster than the socket takes it. One that has not taken all
 * of it in time is closed as a slow consumer, and may rejoin with the `since` that it has then [P-9].
 * @returns when everything has left, or the socket is closed
 */
export async function replay(
  house: Replaying,
  dealerId: string,
  since: Since,
  { tails, recovered }: Missed,
  peer: Peer,
): Promise<void> {
  const behind = Object.entries(since).filter(([scope, seen]) => recovered[scope] && (tails.get(scope) ?? 0) > seen);
  if (behind.length === 0) return;
  const deadline = setTimeout(() => dropAsSlow(peer), house.timing.replayTimeout);
  try {
    for (const [scope, seen] of behind) await tell(house, { dealerId, scope, seen, tail: tails.get(scope) ?? 0 }, peer);
  } finally {
    clearTimeout(deadline);
  }
}

interface Behind {
  readonly dealerId: string;
  readonly scope: string;
  /** The last seq that the socket has seen, and the last that there is. */
  readonly seen: number;
  readonly tail: number;
}

async function tell(house: Replaying, { dealerId, scope, seen, tail }: Behind, peer: Peer): Promise<void> {
  let after = seen;
  while (after < tail && peer.isOpen) {
    await readInTurn();
    const page = await house.store.events(dealerId, scope, { after, before: tail + 1, ...PAGE });
    const last = page.at(-1);
    if (!last) return; // erased meanwhile
    for (const event of page) {
      if (event === last || peer.unsent > house.settings.MAX_SOCKET_BACKLOG * SHARE)
        await sent(peer, eventFrame(event));
      else peer.send(eventFrame(event));
    }
    after = last.seq;
  }
}

/** Sends a frame. Resolves when it, and all that was sent before it, has left, or the socket is no more. */
const sent = (peer: Peer, frame: string): Promise<void> => new Promise((resolve) => peer.send(frame, resolve));
