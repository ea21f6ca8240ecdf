/**
 * Name of somebody. The role is said outside of the name and before it, in a mark that no text can have: whatever somebody calls
 * themselves, they are not taken for anybody else.
 */
import { text } from './texts.ts';
import type { Author } from './words.ts';

interface Props extends Author {
  /** The customer's, as it is shown. */
  readonly name: string;
  /** The admin at this desk. */
  readonly me: string;
}

export function Who({ user, adminId, name, me }: Props) {
  if (user === 'admin' && adminId === me) return <strong class="you">{text('you')}</strong>;
  if (user === 'bot') return <span class="role bot">{text('bot')}</span>;
  if (user === 'server') return <span class="role server">{text('server')}</span>;
  return (
    <>
      <span class={`role ${user}`}>{text(user === 'customer' ? 'customer' : 'agent')}</span>{' '}
      <bdi>{user === 'customer' ? name : (adminId ?? '')}</bdi>
    </>
  );
}

interface EachProps {
  readonly people: readonly Author[];
  readonly name: string;
  readonly me: string;
}

/** Several, one after the other. */
export const WhoEach = ({ people, name, me }: EachProps) => (
  <>
    {people.map((author, index) => (
      <span key={author.adminId ?? author.user}>
        {index > 0 && ', '}
        <Who {...author} name={name} me={me} />
      </span>
    ))}
  </>
);
