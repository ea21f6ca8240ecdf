/** [P-19.2] Ids of events that are made here: by them it is known of a lead whether desks are told of it. */
import { randomUUID } from 'node:crypto';

const MADE = 'telle2019:';
const TOLD = `${MADE}told:`;

/** An id for what has none. @param isTold whether desks are to be told, where it is of a lead */
export const newId = (isTold: boolean, key: string = randomUUID()): string => `${isTold ? TOLD : MADE}${key}`;

/** Tells whether desks are told of a lead's event: of what came over the channel another event tells them. */
export const isTold = (id: string | undefined): boolean =>
  id === undefined || id.startsWith(TOLD) || !id.startsWith(MADE);
