import type { Author } from '../../schemas/kinds.ts';

/**
 * Author of an event, in its fields: as the payload says, else the admin that it names.
 * @param otherwise who it is where the payload names nobody
 */
export function author<By extends Author>(
  body: { user?: By; adminId?: string },
  otherwise: By,
): { adminId?: string; user: By | 'admin' } {
  const user = body.user ?? (body.adminId === undefined ? otherwise : 'admin');
  return user === 'admin' && body.adminId !== undefined ? { adminId: body.adminId, user } : { user };
}
