/** How times and people are said. */
const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const DATE = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

export const timeOf = (at: string): string => TIME.format(new Date(at));
export const dayOf = (at: string): string => DAY.format(new Date(at));

/** The time of what happened today, else the date. */
export function whenOf(at: string): string {
  const date = new Date(at);
  return date.toDateString() === new Date().toDateString() ? TIME.format(date) : DATE.format(date);
}

interface Author {
  readonly user: 'customer' | 'admin' | 'bot';
  readonly adminId?: string;
}

/** Who says something, as seen by an admin; nothing for the customer, whose conversation it is. */
export function authorOf({ user, adminId }: Author, me: string): string {
  if (user === 'customer') return '';
  if (user === 'bot') return 'Bot';
  return adminId === me ? 'You' : (adminId ?? 'Agent');
}
