/** [P-4] What a token says. */
import { type Static, Type } from '@sinclair/typebox';
import { DealerOrAll, GroupId, Id } from './kinds.ts';

/** In seconds since 1970; at most the last of the year 9999, which RFC 3339 can still say. */
const exp = Type.Integer({ minimum: 0, maximum: 253_402_300_799 });

/** The claims of each role; `sub` is the groupId, the adminId, or the server's name. */
export const Claims = Type.Union([
  Type.Object({ role: Type.Literal('customer'), dealer: Id, sub: GroupId, exp }),
  Type.Object({ role: Type.Literal('admin'), dealer: Id, sub: Id, exp }),
  Type.Object({ role: Type.Literal('server'), dealer: DealerOrAll, sub: Id, exp }),
]);
export type Claims = Static<typeof Claims>;
