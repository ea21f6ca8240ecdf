/** Words for times and people. */
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

export interface Author {
  readonly user: 'customer' | 'admin' | 'bot' | 'server';
  readonly adminId?: string | undefined;
}

/**
 * Names somebody in plain text, where no mark can stand: the role comes first. @param name the customer's, as it is
 * shown
 */
export function inFull({ user, adminId }: Author, name: string, me: string): string {
  if (user === 'bot') return 'Bot';
  if (user === 'server') return 'Server';
  if (user === 'customer') return `Customer ${name}`;
  return adminId === me ? 'You' : `Agent ${adminId ?? ''}`;
}
