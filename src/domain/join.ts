import { DESK_SCOPE } from '../../schemas/table.ts';
import { withAdmins } from './availability.ts';
import { adminPresence, customerPresence, withChat } from './chat.ts';
import { faultOfClaim, holderAfter, isClaimed, isSameClaim, setAside } from './holding.ts';
import { type Decision, type PresenceChange, refuse, type State, withGroup } from './state.ts';

type CustomerJoin = Extract<PresenceChange, { type: 'CLIENT_JOIN' }>;
type AdminJoin = Extract<PresenceChange, { type: 'ADMIN_JOIN' }>;
type ServerJoin = Extract<PresenceChange, { type: 'SERVER_JOIN' }>;

/** The nodes that have sockets of somebody, after one of them has the first or has lost the last. */
function nodesAfter({ nodes }: State, { node, online }: PresenceChange): ReadonlySet<string> {
  const after = new Set(nodes);
  if (online) after.add(node);
  else after.delete(node);
  return after;
}

/** [P-7.5] Tells whether a node reports sockets gone that it never had: nobody leaves where they were not. */
const wasNotThere = ({ nodes }: State, { node, online }: PresenceChange): boolean => !online && !nodes.has(node);

/** A customer came to a node (making the group if it is new) or left it [P-3.1, P-7.5]. Told where it changes something. */
export function customerJoin(state: State, body: CustomerJoin): Decision {
  const { dealerId, groupId, node, entry } = body;
  const claim = entry?.by === 'claim' ? entry : null;
  const isAgain = claim !== null && claim.key !== 'id' && isSameClaim(state, claim, node);
  const fault = claim && !isAgain ? faultOfClaim(state, claim) : null;
  if (fault !== null) return refuse('unauthorized', fault);
  if ((entry?.by === 'kept' || entry?.by === 'adopted') && state.group?.holder === 'minted') {
    return refuse('unauthorized', 'this name is held by a token that its dealer minted');
  }
  if (entry?.by === 'minted' && isClaimed(state.group)) {
    return setAside(state, state.group, { dealerId, groupId, node, spare: entry.spare });
  }
  if (wasNotThere(state, body)) return { events: [], state };
  const nodes = nodesAfter(state, body);
  // Erased meanwhile: it is not made again by being left.
  if (state.group === null && !body.online) return { events: [], state: { ...state, nodes } };
  const online = nodes.size > 0;
  const changed = (state.group?.online ?? false) !== online;
  return {
    events: changed ? [customerPresence(dealerId, groupId, online)] : [],
    state: { ...withGroup(state, { online, holder: holderAfter(state.group, entry) }), nodes },
    ...(isAgain && { revoked: true }),
  };
}

/** An admin came to a node or left it [P-7.5]. Leaving the dealer leaves every chat that was open. */
export function adminJoin(state: State, body: AdminJoin): Decision {
  const { dealerId, adminId } = body;
  if (wasNotThere(state, body)) return { events: [], state };
  const nodes = nodesAfter(state, body);
  const online = nodes.size > 0;
  const chats = [...state.openChats].filter((scope) => scope !== DESK_SCOPE).sort();
  const left = online ? [] : chats;
  const changed = state.openChats.has(DESK_SCOPE) === online ? left : [...left, DESK_SCOPE];
  const after = changed.reduce((next, scope) => withChat(next, scope, online), state);
  const { events, rules } = withAdmins(state, after, dealerId);
  return {
    events: [...events, ...changed.map((scope) => adminPresence(dealerId, scope, adminId, online))],
    state: { ...after, nodes, rules },
  };
}

/** [P-13.1] A server of the dealer came to a node or left it: nobody is told, but it may be the dealer's bot. */
export function serverJoin(state: State, body: ServerJoin): Decision {
  if (wasNotThere(state, body)) return { events: [], state };
  const { rules, at } = state;
  const isFirst = body.online && !rules.hasServer && state.dealer;
  return {
    events: [],
    state: {
      ...state,
      nodes: nodesAfter(state, body),
      // Whoever has muted a bot that was not there, has one now.
      rules: isFirst ? { ...rules, hasServer: true, lookAt: at } : rules,
    },
  };
}
