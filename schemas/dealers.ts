/** [P-11.5] The body of `PUT /v1/dealers/{dealerId}`, and what `GET` answers. */
import { Kind, type Static, type TSchema, Type } from '@sinclair/typebox';
import { Holidays, Hours, TimeZone } from './hours.ts';
import { Id, OneOf, Plain, requiredWhere } from './kinds.ts';
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

/** [P-19.3] Key of a group that exists: its token alone, or for a time its name. */
const GroupKey = OneOf(['token', 'id']);

/** A day, to its end in UTC, or a moment. */
const Until = Type.String({
  pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])(T([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d{1,3})?)?Z)?$',
  description: 'a day such as 2026-12-31, or a moment such as 2026-12-31T18:00:00Z',
});

/** Seconds that somebody may be waited for; at most a week. */
const Patience = (options = {}) => Type.Integer({ minimum: 1, maximum: 604_800, ...options });

/**
 * [P-13.1] Settings that the tables keep together, as one JSON object: who adds one adds its line here, and no column. Where `null` is a value
 * of one's own, a merge patch can set it.
 */
const TOGETHER = {
  /** The zone in which `hours` and `holidays` are meant; absent: UTC. */
  timezone: Type.Optional(TimeZone),
  /** Times at which somebody is there; absent: always, and empty: never. */
  hours: Type.Optional(Hours),
  holidays: Type.Optional(Holidays),
  /** True where a bot answers here; absent: whether one does, as it seems. */
  bot: Type.Optional(Type.Boolean()),
  /** [P-12.2] Seconds after which an answer is overdue. */
  answerWithin: Type.Optional(
    Type.Object(
      { bot: Type.Optional(Patience({ default: 30 })), admin: Type.Optional(Patience({ default: 120 })) },
      { additionalProperties: false },
    ),
  ),
  /** [P-12.5] Seconds after which a mute ends by itself: without a word of an admin, and without an admin. Null: never. */
  handBackAfter: Type.Optional(
    Type.Object(
      {
        seconds: Type.Optional(Type.Union([Patience(), Type.Null()], { default: 900 })),
        alone: Type.Optional(Type.Union([Patience(), Type.Null()], { default: 120 })),
      },
      { additionalProperties: false },
    ),
  ),
  /** [P-19.3] `id`: whoever knows the name of a group joins it; absent: `token`. */
  groupKey: Type.Optional(GroupKey),
  /** The end of that. */
  groupKeyUntil: Type.Optional(Until),
};

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
    ...TOGETHER,
  },
  {
    description: 'The settings of a dealer. What is absent is unset.',
    allOf: [requiredWhere('groupKey', 'id', 'groupKeyUntil')],
  },
);
export type DealerSettings = Static<typeof DealerSettings>;

/** [P-13.1] Settings that are kept together. */
export const KeptTogether = Type.Object(TOGETHER);
export type KeptTogether = Static<typeof KeptTogether>;

/** Takes any value for now: what a patch makes of the settings is checked, and told in the words of those. */
const orUnset = (field: TSchema) => Type.Optional(Type.Unsafe({ [Kind]: 'Any', anyOf: [field, { type: 'null' }] }));

/** [P-13.1] The body of `PATCH /v1/dealers/{dealerId}`, a JSON Merge Patch [RFC 7396]. */
export const DealerPatch = Type.Object(
  Object.fromEntries(Object.entries(DealerSettings.properties).map(([name, field]) => [name, orUnset(field)])),
  { description: 'Changes of a dealer’s settings: what is absent stays, what is null is unset.' },
);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Tells whether `null` is a value of a field, and does not unset it. */
const takesNull = (field: TSchema | undefined): boolean =>
  field?.anyOf?.some((each: TSchema) => each.type === 'null') ?? false;

/** Merges a patch into a value that its schema describes [RFC 7396]. */
export function patched(schema: TSchema | undefined, before: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const after: Record<string, unknown> = { ...(isObject(before) && before) };
  for (const [name, change] of Object.entries(patch)) {
    const field: TSchema | undefined = schema?.properties?.[name];
    if (change === null && !takesNull(field)) delete after[name];
    else after[name] = patched(field, after[name], change);
  }
  return after;
}

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
