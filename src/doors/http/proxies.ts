/** Trust in a request's word on where it comes from: the proxies that the settings name are believed, and nobody else. */
import { BlockList, isIP } from 'node:net';
import type { Settings } from '../../../schemas/settings.ts';

const LOOPBACK = '127.0.0.0/8, ::1';
/** Half of an IPv6 address names a network: who has one address of it has all. */
const NETWORK_GROUPS = 4;

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Takes an address as a proxy may write it. */
type IsProxy = (hop: string) => boolean;

/** @returns whether an address is that of such a proxy; null where there is none */
export function proxiesOf({ TRUST_PROXY }: Settings): IsProxy | null {
  if (TRUST_PROXY === 'off') return null;
  const proxies = new BlockList();
  for (const name of (TRUST_PROXY === 'loopback' ? LOOPBACK : TRUST_PROXY).split(',')) {
    const [address = '', bits] = name.trim().split('/');
    if (bits === undefined) proxies.addAddress(address, familyOf(address));
    else if (Number(bits) > 0) proxies.addSubnet(address, Number(bits), familyOf(address));
    else throw new RangeError(`TRUST_PROXY: ${name.trim()} is no network`);
  }
  return (hop) => {
    const address = bareAddress(hop);
    return isIP(address) !== 0 && proxies.check(address, familyOf(address));
  };
}

/**
 * An address without what proxies write with it, which changes from one connection to the next: `for=` and quotes (RFC
 * 7239), brackets, a port, and the name of a link. What holds no address stays as it is.
 */
export function bareAddress(hop: string): string {
  const written = hop.trim().replace(/^for=/i, '').replace(/;.*$/, '').replace(/"/g, '');
  const host = /^\[([^\]]*)\]/.exec(written)?.[1] ?? written;
  // An IPv6 address and its port without brackets cannot be told apart, unless all its groups are there.
  const readings = [host, host.replace(/:\d+$/, '')].map((reading) => reading.replace(/%.*$/, ''));
  return readings.find((reading) => isIP(reading) !== 0) ?? hop.trim();
}

/**
 * Where a request comes from: each proxy on its way has added whom it has it from, and the last is asked first.
 * @param direct the address at the other end of its connection; undefined for one through memory
 */
export function addressOf(
  direct: string | undefined,
  forwardedFor: string | string[] | undefined,
  isProxy: IsProxy,
): string | undefined {
  const hops = String(forwardedFor ?? '')
    .split(',')
    .map((hop) => hop.trim())
    .filter((hop) => hop !== '');
  let address = direct;
  while (address !== undefined && isProxy(address) && hops.length > 0) address = hops.pop();
  return address === undefined ? undefined : bareAddress(address);
}

/**
 * The holder that an address counts as: itself, or for IPv6 its network of 64 bits.
 * @param address as Node tells it: an IPv4 address may come as `::ffff:1.2.3.4`
 */
export function holderOf(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0');
  const groups = [...head, ...(address.includes('::') ? zeros : []), ...tail];
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
