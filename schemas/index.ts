/**
 * `telle/schemas`: the protocol's language for programs that speak it, in TypeBox. Each schema is a type too:
 * `Static<typeof ChatMsg>`. What only the server needs is not here.
 */
export {
  AdminMsg,
  type Body,
  type BodySchema,
  CloseChat,
  CreateLeadIntent,
  CustomerMsg,
  MuteBot,
  OpenChat,
  Read,
  SysMsg,
  Typing,
  UnmuteBot,
  UpdateChat,
  UpdateGroup,
  UpdateLead,
  UpdateLeadIntent,
  UpdateMsg,
  UpdatePageview,
  UpdateUser,
} from './accepted.ts';
export { Card, Choice, Content } from './content.ts';
export { Dealer, DealerSettings, Origin } from './dealers.ts';
export * from './delivered.ts';
export { CLOSE, type CloseCode, Detail, ERRORS, type ErrorCode, ErrorPayload, errorKind } from './errors.ts';
export * from './frames.ts';
export { DealerOrAll, GroupId, Id, Instant, Key, Role, Seq, Text, User } from './kinds.ts';
export { Lead, LeadIntent, Pageview, UserProfile } from './records.ts';
export {
  ALL_DEALERS,
  CONTROLS,
  DEALER_SCOPE,
  DELIVERIES,
  DESK_SCOPE,
  eventTypeOf,
  JOINS,
  type JoinChannel,
  SENDS,
  type Sends,
  scopeOf,
} from './table.ts';
export { Claims } from './tokens.ts';
