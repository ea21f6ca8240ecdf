/**
 * [P-11.5] Tells whether a client that a browser sends from `origin` may join a dealer. A client that sends none is no browser
 * and may; where none is listed, no browser may.
 */
export function isOriginAllowed(origin: string | undefined, allowed: readonly string[]): boolean {
  if (origin === undefined) return true;
  return allowed.some((listed) => listed === '*' || listed.toLowerCase() === origin.toLowerCase());
}
