/** Makes frames and acks of what was stored, or is only passed on: the one place that does, once for each event. */
import { scopeOf } from '../../schemas/table.ts';
import type { Peer } from '../hub/peer.ts';
import type { Publication } from '../hub/publication.ts';
import { ackFrame, eventFrame, passingFrame } from '../protocol/encode.ts';
import type { StoredEvent } from '../store/rows.ts';
import type { Ack, Happened, Outcome } from './batch.ts';

/** The socket that a command came from, null where it came by another way, and the id by which it asked for an ack. */
export interface Asking {
  readonly peer: Peer | null;
  readonly id: string | undefined;
}

/** An event of the log, as it was published when it was stored. */
export const storedPublication = (event: StoredEvent, answer: Publication['answer'] = null): Publication => ({
  type: event.type,
  dealerId: event.dealerId,
  groupId: event.groupId,
  scope: event.scope,
  seq: event.seq,
  at: event.at,
  frame: eventFrame(event),
  answer,
});

/** An event that is told once, and stored nowhere. */
const passingPublication = (
  { type, dealerId, groupId, payload }: Omit<Happened, 'stored'>,
  answer: Publication['answer'],
): Publication => ({
  type,
  dealerId,
  groupId,
  scope: groupId ?? scopeOf(type, undefined),
  seq: null,
  at: null,
  frame: passingFrame(type, payload),
  answer,
});

/** [P-11.4] Tells a conversation's own sockets, and the desk, that it is no more. */
export function erasurePublication(dealerId: string, groupId: string): Publication {
  const event = { type: 'ERASE_GROUP', dealerId, groupId, user: 'customer', online: false } as const;
  return passingPublication({ type: event.type, dealerId, groupId, payload: JSON.stringify(event) }, null);
}

/** Publications of a command's events: its own comes last, and is answered to whoever sent it [P-7]. */
export function publicationsOf(outcome: Outcome, asking: Asking | undefined): Publication[] {
  if ('refusal' in outcome) return [];
  const { happened, ack } = outcome;
  return happened.map((event, index) => {
    const answer = asking && index === happened.length - 1 ? answerTo(asking, event, ack) : null;
    return event.stored ? storedPublication(event.stored, answer) : passingPublication(event, answer);
  });
}

/**
 * The sender's socket gets, in its event's place, the ack that it asked for. Where it asked for none, it gets a
 * stored event like everybody else, so that its seqs have no gap, and nothing for one that is only passed on.
 */
function answerTo({ peer, id }: Asking, { stored }: Happened, ack: Ack | null): Publication['answer'] {
  if (peer === null) return null;
  if (id !== undefined) return { peer, frame: ackFrame(id, ack) };
  return stored ? null : { peer, frame: null };
}
