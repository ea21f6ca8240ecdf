/** [P-11.7] Signing in by a one-time code, and out again. */
import { type Static, Type } from '@sinclair/typebox';
import { Id, Instant } from './kinds.ts';

/** For how long a token holds that a code is exchanged for, in seconds, where nobody says otherwise: a long working day. */
export const DEFAULT_TTL = 12 * 60 * 60;
/** The longest that anybody may say: 30 days, as a customer's own token holds. */
const MAX_TTL = 30 * 24 * 60 * 60;

export const CodeRequest = Type.Object(
  {
    /** The token's own dealer, unless it is for all of them. */
    dealerId: Type.Optional(Id),
    adminId: Id,
    ttl: Type.Optional(Type.Integer({ minimum: 60, maximum: MAX_TTL, default: DEFAULT_TTL })),
  },
  { description: 'Whom a code is for, and for how many seconds the token is to hold that it is exchanged for.' },
);

export const Code = Type.Object(
  { code: Type.String(), expiresAt: Instant },
  { description: 'A code that can be exchanged once, and until when.' },
);
export type Code = Static<typeof Code>;

export const SignIn = Type.Object(
  { code: Type.String({ minLength: 1, maxLength: 4096 }) },
  { description: 'By what somebody signs in: a code.' },
);

export const SignedIn = Type.Object(
  { token: Type.String(), expiresAt: Instant },
  { description: 'A token of its own for who has signed in, and until when it holds.' },
);
