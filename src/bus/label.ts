/**
 * The label of a frame: the values of a {@link Publication}, told beside its text, so that no other node takes that apart.
 *
 * Each frame is published as it is delivered, for whoever listens [P-10]; its label comes just before it, on a channel of
 * the nodes' own. A node of the version before publishes no labels and follows none. Its frames are read as they came.
 */
import type { Publication } from '../hub/publication.ts';

/** Stands for the values and their order. A frame whose label is of another version is read as one without. */
const VERSION = '2';

export interface Label {
  /** The node that published it. */
  readonly origin: string;
  /** The length of the frame that it belongs to. */
  readonly bytes: number;
  readonly type: string;
  readonly dealerId: string;
  readonly groupId: string | null;
  readonly scope: string;
  readonly seq: number | null;
  readonly at: number | null;
}

/** Writes values with spaces between. Ids and scopes have none, and are not empty; what is null is. */
export const writeLabel = ({ type, dealerId, groupId, scope, seq, at, frame }: Publication, origin: string): string =>
  `${VERSION} ${origin} ${Buffer.byteLength(frame)} ${type} ${dealerId} ${groupId ?? ''} ${scope} ${seq ?? ''} ${at ?? ''}`;

/** @returns null for what is no label, or one of another version */
export function readLabel(text: string): Label | null {
  const [version, origin, bytes, type, dealerId, groupId, scope, seq, at] = text.split(' ');
  if (version !== VERSION) return null;
  if (origin === undefined || type === undefined || dealerId === undefined || scope === undefined) return null;
  return {
    origin,
    bytes: Number(bytes),
    type,
    dealerId,
    groupId: groupId || null,
    scope,
    seq: seq ? Number(seq) : null,
    at: at ? Number(at) : null,
  };
}

/** Puts a label and its frame together, on a node that hears them. */
export const labelled = ({ origin: _, bytes: __, ...values }: Label, frame: string): Publication =>
  heard({ ...values, frame });

/**
 * Reads a frame that has no label: of a node of the version before, or of anybody else who publishes there.
 * @throws where it is no frame
 */
export function unlabelled(frame: string): Publication {
  const { payload, scope, seq, at } = JSON.parse(frame);
  const { type, dealerId, groupId = null } = payload;
  if (typeof type !== 'string' || typeof dealerId !== 'string') throw new Error('it is no event');
  const isStored = typeof scope === 'string' && Number.isSafeInteger(seq) && typeof at === 'string';
  const place = isStored ? { scope, seq, at: Date.parse(at) } : { scope: groupId ?? '', seq: null, at: null };
  return heard({ type, dealerId, groupId, ...place, frame });
}

const heard = (publication: Omit<Publication, 'answer' | 'lag'>): Publication => ({
  ...publication,
  answer: null,
  ...(publication.at !== null && { lag: Date.now() - publication.at }),
});
