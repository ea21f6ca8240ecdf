import { refused } from '../../../schemas/errors.ts';

/** A place in a list, as an opaque word [P-11.3]. */
export const cursorFor = (place: string): string => Buffer.from(place).toString('base64url');

export const placeOf = (cursor: string): string => Buffer.from(cursor, 'base64url').toString();

/** @throws RefusedError `invalid_payload` for a word that no list gave out */
export const badCursor = () =>
  refused('invalid_payload', 'cursor: not one that this list gave', {
    details: [{ path: '/cursor', message: 'expected the `next` of a page before' }],
  });
