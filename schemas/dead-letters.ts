/** [P-11.5] Events that came over Redis and were refused, as `GET /v1/dead-letters` lists them. */
import { Type } from '@sinclair/typebox';
import { Details, ErrorPayload } from './errors.ts';
import { Instant, OneOf } from './kinds.ts';
import { listOf } from './lists.ts';

export const DeadLetter = Type.Object(
  {
    deadLetterId: Type.String(),
    source: OneOf(['events', 'ingress', 'dialect']),
    code: ErrorPayload.properties.code,
    message: Type.String(),
    at: Instant,
    payload: Type.String({ description: 'the text as it came' }),
    details: Details,
  },
  { description: 'What came over Redis and was refused, whole, with the reason.' },
);

export const DeadLetterList = listOf(DeadLetter, 'A page of dead letters, the oldest first.');
