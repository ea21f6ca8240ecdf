import type { User } from '../../schemas/kinds.ts';

/** Author of an event, in its fields: as the payload says, else the admin that it names, else the bot. */
export function author(body: { user?: User; adminId?: string }): { adminId?: string; user: User } {
  const user = body.user ?? (body.adminId === undefined ? 'bot' : 'admin');
  return user === 'admin' && body.adminId !== undefined ? { adminId: body.adminId, user } : { user };
}
