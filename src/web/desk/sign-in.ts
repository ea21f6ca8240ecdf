/** Who is at the desk: an admin token from a link's fragment, from this tab's storage, or pasted. */
import { Shelf } from './shelf.ts';

export interface SignIn {
  readonly token: string;
  readonly dealerId: string;
  readonly adminId: string;
}

const shelf = new Shelf('telle.desk');
const TOKEN = 'token';

/** Reads what a token says of itself, to know as whom to join: whether it is true, the server alone decides. */
function claimsOf(token: string): { role?: unknown; dealer?: unknown; sub?: unknown } {
  try {
    return JSON.parse(atob((token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/')));
  } catch {
    return {};
  }
}

/** @param text a token, or a link that carries one. @returns null where it is not an admin's */
export function signInOf(text: string): SignIn | null {
  const token = text.trim().replace(/^.*#token=/s, '');
  const { role, dealer, sub } = claimsOf(token);
  if (role !== 'admin' || typeof dealer !== 'string' || typeof sub !== 'string') return null;
  return { token, dealerId: dealer, adminId: sub };
}

/** Takes a link's token out of the address bar, and so out of the history of the tab. */
function takeFromAddress(): string | null {
  const [, token] = /^#token=(.*)$/.exec(location.hash) ?? [];
  if (token === undefined) return null;
  history.replaceState(null, '', location.pathname);
  return token;
}

/** Keeps a token for as long as this tab is there. */
export const rememberToken = ({ token }: SignIn): void => shelf.put(TOKEN, token);
export const forgetToken = (): void => shelf.drop(TOKEN);

/** Who came by a link. */
export function signInFromAddress(): SignIn | null {
  const token = takeFromAddress();
  return token === null ? null : signInOf(token);
}

/** Who was here before the page was loaded anew. */
export const rememberedSignIn = (): SignIn | null => signInOf(shelf.get(TOKEN) ?? '');
