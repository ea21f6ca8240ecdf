/** [P-11.5] The body of `PUT /v1/dealers/{dealerId}`, and what `GET` answers. */
import { type Static, Type } from '@sinclair/typebox';
import { Id, OneOf, Plain } from './kinds.ts';
import { listOf } from './lists.ts';

/** `*`, or scheme, host and port as a browser sends them in `Origin`: no path, no trailing slash. */
export const Origin = Type.String({
  pattern: '^(\\*|https?://[A-Za-z0-9.:[\\]-]+)$',
  maxLength: 255,
  description: '*, or scheme and host such as https://cars.example, without a path or a slash at the end',
});

/** An address that fits one word: printable ASCII, with one @. */
const Email = Type.String({
  pattern: '^[!-?A-~]+@[A-Za-z0-9.-]+$',
  maxLength: 254,
  description: 'an email address such as desk@cars.example',
});

/** [P-3.1] Which groups may be claimed without a token: of any name, only of a name that the server makes, or none. */
export const CLAIMS = ['any', 'made', 'off'] as const;

export const DealerSettings = Type.Object(
  {
    name: Type.Optional(Plain(200)),
    /** Where the dealer is reached about a lead: documents that name the dealer to a CRM need one of the two. */
    email: Type.Optional(Email),
    phone: Type.Optional(Plain(40)),
    origins: Type.Optional(Type.Array(Origin, { maxItems: 100 })),
    /** Days after which a conversation is forgotten; absent: never. */
    retentionDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 36_500 })),
    /** Which groups may be claimed without a token; absent: any. */
    claims: Type.Optional(OneOf(CLAIMS)),
  },
  { description: 'The settings of a dealer. What is absent is unset.' },
);
export type DealerSettings = Static<typeof DealerSettings>;

export const Dealer = Type.Object(
  {
    dealerId: Id,
    ...DealerSettings.properties,
    /** [P-4] Of which generation tokens must be that are minted now; absent: none was ever revoked. */
    generation: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { description: 'A dealer: a tenant.' },
);
export type Dealer = Static<typeof Dealer>;

export const DealerList = listOf(Dealer, 'A page of dealers, by dealerId.');
