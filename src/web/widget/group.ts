import type { Token } from '../../client/index.ts';

/** The group that a token is for, as it says itself; undefined where it is none that a server would take. */
export function groupOf(token: string): string | undefined {
  try {
    const claims = token.split('.')[1] ?? '';
    const { sub } = JSON.parse(atob(claims.replace(/-/g, '+').replace(/_/g, '/')));
    return typeof sub === 'string' || typeof sub === 'number' ? String(sub) : undefined;
  } catch {
    return undefined;
  }
}

/** Makes a token that tells whose it is, each time that it is fetched. */
export const telling = (token: Token, tell: (group: string) => void): Token => {
  const told = (text: string) => {
    const group = groupOf(text);
    if (group !== undefined) tell(group);
    return text;
  };
  return typeof token === 'string' ? told(token) : async () => told(await token());
};
