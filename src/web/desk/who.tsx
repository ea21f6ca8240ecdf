/**
 * Name of somebody. The role is said outside of the name and before it, in a mark that no text can have: whatever somebody calls
 * themselves, they are not taken for anybody else.
 */
import type { Author } from './words.ts';

interface Props extends Author {
  /** The customer's, as it is shown. */
  readonly name: string;
  /** The admin at this desk. */
  readonly me: string;
}

export function Who({ user, adminId, name, me }: Props) {
  if (user === 'admin' && adminId === me) return <strong class="you">You</strong>;
  if (user === 'bot') return <span class="role bot">Bot</span>;
  if (user === 'server') return <span class="role server">Server</span>;
  return (
    <>
      <span class={`role ${user}`}>{user === 'customer' ? 'Customer' : 'Agent'}</span>{' '}
      <bdi>{user === 'customer' ? name : (adminId ?? '')}</bdi>
    </>
  );
}
