/** [P-19.2] Desks without a token: those of a dealer that come from its own networks. */
import { BlockList, isIP } from 'node:net';

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** An address of IPv4 as one of IPv6 has it. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/** Tells whether who comes from an address is an admin of a dealer, as it says. */
export type IsDesk = (dealerId: string, address: string | null) => boolean;

/** @param setting `off`, or `<dealerId>=<address or network>` separated by commas */
export function desksOf(setting: string): IsDesk {
  const networks = new Map<string, BlockList>();
  for (const entry of setting === 'off' ? [] : setting.split(',')) {
    const [dealerId = '', network = ''] = entry.trim().split('=');
    const [address = '', bits] = network.split('/');
    const list = networks.get(dealerId) ?? new BlockList();
    if (bits === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(bits), familyOf(address));
    networks.set(dealerId, list);
  }
  return (dealerId, address) => {
    if (address === null) return false;
    const bare = plain(address);
    return isIP(bare) !== 0 && (networks.get(dealerId)?.check(bare, familyOf(bare)) ?? false);
  };
}
