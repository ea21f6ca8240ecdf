/** [P-12] The wait of a customer: who must answer, and since when. */
import { type Static, Type } from '@sinclair/typebox';
import { Instant, instantOf, OneOf } from './kinds.ts';

export const Answering = OneOf(['bot', 'admin']);
export type Answering = Static<typeof Answering>;

/** [P-12.1] Null: nobody waits for an answer. */
export const Waiting = Type.Union([
  Type.Object(
    { since: Instant, for: Answering },
    { description: 'since when the customer waits for an answer, and whose it is to give one' },
  ),
  Type.Null(),
]);
export type Waiting = Static<typeof Waiting>;

/** [P-12.1] It, as a group's row has it. Times are ms since 1970. */
export const waitingOf = ({
  waitingSince,
  waitingFor,
}: {
  readonly waitingSince: number | null;
  readonly waitingFor: Answering | null;
}): Waiting =>
  waitingSince === null || waitingFor === null ? null : { since: instantOf(waitingSince), for: waitingFor };
