import type { Static } from '@sinclair/typebox';
import type { Typing } from '../../schemas/accepted.ts';
import { author } from './author.ts';
import { carried } from './carried.ts';
import type { Decision, State } from './state.ts';

/** `TYPING`: passed on, never stored [P-7]. */
export function typing(state: State, body: Static<typeof Typing>): Decision {
  const { dealerId, groupId } = body;
  return { events: [{ type: 'TYPING', dealerId, groupId, ...author(body, 'bot'), ...carried(body) }], state };
}
