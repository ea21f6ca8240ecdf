/** Addresses that customers write: none of them is a way into this desk, however it is written. */

/** True of a whole address that leads to anything but a desk of this server. */
export function leadsElsewhere(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { hostname, pathname } = new URL(address);
  return hostname !== location.hostname || !/^\/desk\b/i.test(decoded(pathname));
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
