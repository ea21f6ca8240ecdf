/** Whose word on where a request comes from is believed: that of the proxies that the settings name, and nobody else's. */
import { BlockList, isIP } from 'node:net';
import type { Settings } from '../../../schemas/settings.ts';

const LOOPBACK = '127.0.0.0/8, ::1';

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

type IsProxy = (address: string) => boolean;

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
  // The address of a link may be followed by the link's name, which is no part of it.
  return (address) => isIP(address) !== 0 && proxies.check(address.replace(/%.*/, ''), familyOf(address));
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
  return address;
}
