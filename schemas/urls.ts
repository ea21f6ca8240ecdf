/** URLs of servers that have a name and a password in them: taken apart, and shown without those. */

interface Host {
  /** Empty: the driver's own default. */
  readonly name: string;
  readonly port: number | null;
}

export interface ServerUrl {
  readonly scheme: string;
  readonly user: string;
  readonly password: string;
  /** One, or several that are tried in turn. */
  readonly hosts: readonly Host[];
  /** The text after the first slash behind the hosts. */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
}

/**
 * The parts of a URL. A special character ends the part that it stands in. So that no password with one becomes a host, a path
 * or a query, these are read strictly: a host has no blank, a path is one plain word (and a number, of Sentinels), a query has names and values, and there is no hash.
 */
const URL_PARTS =
  /^(?<scheme>[a-z][a-z\d+.-]*):\/\/(?:(?<who>[^/?#\n\r]*)@)?(?<hosts>[^/?#@\s]*)(?:\/(?<path>[^/?#@\s=&:;"'\\]*(?:\/\d+)?))?(?:\?(?<query>[^#@\s]*))?$/;
const HOST = /^(?<name>\[[\da-f:.]+\]|(?:[a-z\d._-]|%[\da-f]{2})*)(?::(?<port>\d{1,5}))?$/i;
const PAIR = /^[a-z_.]+=./i;

/** A lone % is one: passwords have them. @throws URIError where bytes are no text */
const decoded = (text: string): string => decodeURIComponent(text.replace(/%(?![\da-f]{2})/gi, '%25'));

function hostOf(text: string): Host | null {
  const { name = '', port } = HOST.exec(text)?.groups ?? {};
  if (!HOST.test(text) || Number(port ?? 1) > 65_535) return null;
  return { name: decoded(name).replace(/^\[(.*)\]$/, '$1'), port: port === undefined ? null : Number(port) };
}

/** @returns null where it is no URL, or has something in it that must be percent-encoded */
export function takenApart(text: string): ServerUrl | null {
  const { scheme = '', who = '', hosts = '', path = '', query = '' } = URL_PARTS.exec(text)?.groups ?? {};
  const pairs = query === '' ? [] : query.split('&');
  if (scheme === '' || !pairs.every((pair) => PAIR.test(pair))) return null;
  const [, user = '', password = ''] = /^([^:]*)(?::([\s\S]*))?$/.exec(who) ?? [];
  try {
    const known = hosts.split(',').map(hostOf);
    const all = known.filter((host) => host !== null);
    if (all.length < known.length) return null;
    return {
      scheme,
      user: decoded(user),
      password: decoded(password),
      hosts: all,
      path: decoded(path),
      query: new Map(new URLSearchParams(query)),
    };
  } catch {
    return null;
  }
}

/** A good URL as it may be shown: neither who asks nor what is asked for further on. */
export function shownUrl(text: string): string {
  const { scheme = '', who, hosts = '', path, query } = URL_PARTS.exec(text)?.groups ?? {};
  return [
    `${scheme}://`,
    who === undefined ? '' : '…@',
    hosts,
    path === undefined ? '' : `/${path}`,
    query ? '?…' : '',
  ].join('');
}
