/** Lines of an export [P-11.3], as far as `telle import` reads them [P-20.1]: everything of a dealer, by `kind`. Times are ms since 1970. */
import { type Static, Type } from '@sinclair/typebox';
import { DealerSettings } from './dealers.ts';
import { Author, GroupId, Id, Key, Plain, Seq } from './kinds.ts';
import { Answering } from './waiting.ts';

const Time = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Json = Type.Record(Type.String(), Type.Unknown());
const orNull = <S extends Parameters<typeof Type.Union>[0][number]>(schema: S) => Type.Union([schema, Type.Null()]);

const times = { createdAt: Time, updatedAt: Time };
const record = { groupId: GroupId, fields: Json, customer: Json, ...times };

export const EXPORTED = {
  dealer: Type.Object({ dealerId: Id, ...DealerSettings.properties }),
  group: Type.Object({
    groupId: GroupId,
    online: Type.Boolean(),
    mutedBy: orNull(Id),
    closed: Type.Boolean(),
    closedBy: orNull(Author),
    unread: Count,
    seq: Count,
    adminRead: Count,
    customerRead: Count,
    waitingSince: Type.Optional(orNull(Time)),
    waitingFor: Type.Optional(orNull(Answering)),
    assignee: Type.Optional(orNull(Id)),
    ...times,
  }),
  user: Type.Object(record),
  lead: Type.Object(record),
  intent: Type.Object({ ...record, intent: Plain(64) }),
  erasure: Type.Object({
    erasureId: Key,
    reason: Type.String(),
    by: orNull(Type.String()),
    events: Count,
    pageviews: Count,
    users: Count,
    leads: Count,
    intents: Count,
    at: Time,
  }),
  event: Type.Object({
    scope: Id,
    seq: Seq,
    id: Key,
    type: Type.String(),
    groupId: orNull(Id),
    at: Time,
    payload: Json,
  }),
  end: Type.Object({ counts: Type.Record(Type.String(), Count) }),
} as const;

export type ExportedKind = keyof typeof EXPORTED;
export type Exported<Kind extends ExportedKind> = Static<(typeof EXPORTED)[Kind]>;
