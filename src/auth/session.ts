/** Session: who is at the other end, as its token or its join says: the one source of identity. */
import type { Role } from '../../schemas/kinds.ts';
import { ALL_DEALERS } from '../../schemas/table.ts';
import type { Claims } from '../../schemas/tokens.ts';

type Customer = { readonly role: 'customer'; readonly dealerId: string; readonly groupId: string };
type Admin = { readonly role: 'admin'; readonly dealerId: string; readonly adminId: string };
type OtherServer = { readonly role: 'server'; readonly dealerId: string; readonly name: string };

export type Session =
  | (Customer & {
      /** True where its dealer minted the token: else it goes back to a claim [P-3.1]. */
      readonly minted: boolean;
      /** The name by which it still calls its conversation, where that has another now. */
      readonly formerly?: string | undefined;
    })
  | Admin
  | OtherServer;

/** The session that a verified token stands for. @param ours whether Telle gave it to a customer who claimed a group */
export function sessionOf({ role, dealer: dealerId, sub }: Claims, ours: boolean): Session {
  switch (role) {
    case 'customer':
      return { role, dealerId, groupId: sub, minted: !ours };
    case 'admin':
      return { role, dealerId, adminId: sub };
    case 'server':
      return { role, dealerId, name: sub };
  }
}

/** The namespace of the ids that a session sends [P-8.4]. */
export function senderOf(session: Customer | Admin | OtherServer): string {
  switch (session.role) {
    case 'customer':
      return `customer:${session.groupId}`;
    case 'admin':
      return `admin:${session.adminId}`;
    case 'server':
      return `server:${session.name}`;
  }
}

/** The one whom a sender's name stands for: {@link senderOf} read backwards. Null: it is nobody's who can be here. */
export function personOf(dealerId: string, sender: string): Customer | Admin | OtherServer | null {
  const [role, ...rest] = sender.split(':');
  const name = rest.join(':');
  if (role === 'customer') return { role, dealerId, groupId: name };
  if (role === 'admin') return { role, dealerId, adminId: name };
  return role === 'server' ? { role, dealerId, name } : null;
}

/** [P-5] Which fields of a payload tell who says it, by role. */
export const IDENTITY_FIELDS = {
  customer: ['dealerId', 'groupId', 'user'],
  admin: ['dealerId', 'adminId', 'user'],
  server: ['dealerId'],
} as const satisfies Readonly<Record<Role, readonly string[]>>;

/** Values of those fields in a payload of this session, whether it says so or not; a server of all dealers may name any. */
export function identityOf(session: Session): Readonly<Record<string, string>> {
  const { role, dealerId } = session;
  switch (role) {
    case 'customer':
      return { dealerId, groupId: session.groupId, user: role };
    case 'admin':
      return { dealerId, adminId: session.adminId, user: role };
    case 'server':
      return dealerId === ALL_DEALERS ? {} : { dealerId };
  }
}
