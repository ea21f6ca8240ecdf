/** Session of the desk: begun by a one-time code or a pasted token, or kept from before the page was reloaded. */
import { Shelf } from './shelf.ts';

export interface SignIn {
  readonly token: string;
  readonly dealerId: string;
  readonly adminId: string;
}

/** Somebody may sign in, if whoever is here wants to. */
export interface Invitation {
  readonly dealerId: string;
  readonly adminId: string;
  /** The code; absent where this server's own page is to be asked for one. */
  readonly code?: string;
}

/** [P-11.7] Reason why somebody was not signed in or out. */
export class SessionError extends Error {
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

const shelf = new Shelf('sessionStorage', 'telle.desk');
const TOKEN = 'token';
/** The dealer that a new server has, and its agent: this machine's own pages are given a code. */
const DEMO: Invitation = { dealerId: 'demo', adminId: 'alice' };

/** Reads what a token or code says of itself: whether it is true, the server alone decides. */
function said(text: string): { typ?: unknown; role?: unknown; dealer?: unknown; sub?: unknown; exp?: unknown } {
  try {
    const [head, claims] = text
      .split('.')
      .slice(0, 2)
      .map((part) => JSON.parse(atob(part.replace(/-/g, '+').replace(/_/g, '/'))));
    return { ...claims, typ: head.typ };
  } catch {
    return {};
  }
}

/** An admin's token or code, as it says. @returns null for anything else */
function admins(text: string) {
  const { typ, role, dealer, sub } = said(text);
  if (role !== 'admin' || typeof dealer !== 'string' || typeof sub !== 'string') return null;
  return { dealerId: dealer, adminId: sub, isCode: typ === 'telle-code+jwt' };
}

/** @returns null where it is no admin's token */
function signInOf(token: string): SignIn | null {
  const who = admins(token);
  return who && !who.isCode ? { token, dealerId: who.dealerId, adminId: who.adminId } : null;
}

/** @returns null where it is no admin's code */
function invitationOf(code: string): Invitation | null {
  const who = admins(code);
  return who?.isCode ? { code, dealerId: who.dealerId, adminId: who.adminId } : null;
}

/** @param text a token, or a link. @returns null where it is neither */
export function readPasted(text: string): SignIn | Invitation | null {
  const word = text.trim().replace(/^.*#code=/s, '');
  return invitationOf(word) ?? signInOf(word);
}

/** Takes what a link brings out of the address bar, and so out of the history of the tab. */
export function takeFromAddress(): Invitation | null {
  const [, name, text = ''] = /^#(code|token|demo)(?:=(.*))?$/.exec(location.hash) ?? [];
  if (name === undefined) return null;
  history.replaceState(null, '', location.pathname);
  if (name === 'demo') return DEMO;
  return name === 'code' ? invitationOf(text) : null;
}

/** Keeps a token for as long as this tab is there. */
export const rememberToken = ({ token }: SignIn): void => shelf.put(TOKEN, token);
export const forgetToken = (): void => shelf.drop(TOKEN);

/** Session from before the page was reloaded. */
export const rememberedSignIn = (): SignIn | null => signInOf(shelf.get(TOKEN) ?? '');

/** @throws SessionError where the code is of no use, or nobody answers */
export async function accept({ code }: Invitation): Promise<SignIn> {
  const given = code ?? (await ask<{ code: string }>('POST', '/desk/demo')).code;
  const { token } = await ask<{ token: string }>('POST', '/v1/sessions', { body: { code: given } });
  const signIn = signInOf(token);
  if (!signIn) throw new SessionError(0, 'what came is no token');
  return signIn;
}

/** Until when a token holds by itself. */
export function holdsUntil({ token }: SignIn): Date {
  return new Date(Number(said(token).exp) * 1000);
}

/** Ends the token, wherever else it may be. @throws SessionError where that cannot be */
export async function end({ token }: SignIn): Promise<void> {
  await ask('DELETE', '/v1/sessions', { token });
}

async function ask<Body>(
  method: string,
  path: string,
  { body, token }: { body?: object; token?: string } = {},
): Promise<Body> {
  const response = await fetch(path, {
    method,
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
    keepalive: true, // somebody who signs out may go at once
  }).catch(() => null);
  if (!response) throw new SessionError(0, 'the server does not answer');
  const text = await response.text();
  const answer = text === '' ? {} : JSON.parse(text);
  if (!response.ok) throw new SessionError(response.status, answer.detail ?? `HTTP ${response.status}`);
  return answer;
}
