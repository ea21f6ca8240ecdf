/** Whose address a request comes from, behind proxies. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSettings } from '../../src/cli/settings.ts';
import { addressOf, bareAddress, holderOf, proxiesOf } from '../../src/doors/http/proxies.ts';

const proxies = (TRUST_PROXY: string) => proxiesOf(readSettings({ TRUST_PROXY }));

describe('a proxy', () => {
  const cases: [named: string, address: string, isProxy: boolean][] = [
    ['loopback', '127.0.0.1', true],
    ['loopback', '127.8.9.1', true],
    ['loopback', '::1', true],
    ['loopback', '::ffff:127.0.0.1', true],
    ['loopback', '10.0.0.1', false],
    ['10.0.0.0/8, 127.0.0.1', '10.200.1.1', true],
    ['10.0.0.0/8, 127.0.0.1', '::ffff:10.200.1.1', true],
    ['10.0.0.0/8, 127.0.0.1', '127.0.0.1', true],
    ['10.0.0.0/8, 127.0.0.1', '127.0.0.2', false],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['2001:db8::/32', '2001:db8:1::9', true],
    ['2001:db8::/32', '2001:db9::9', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['10.0.0.0/8', 'unknown', false],
    ['10.0.0.0/8', '10.0.0.1:8080', true],
    ['10.0.0.0/8', '"10.0.0.1:8080"', true],
    ['2001:db8::/32', '[2001:db8::1]:443', true],
    ['10.0.0.0/8', '', false],
  ];
  for (const [named, address, isProxy] of cases) {
    test(`${named}: ${address || 'nothing'} is ${isProxy ? 'one' : 'none'}`, () => {
      assert.equal(proxies(named)?.(address), isProxy);
    });
  }

  test('is none that is not named', () => assert.equal(proxies('off'), null));

  test('cannot be named by what is no address or network', () => {
    for (const named of ['999.0.0.1', '10.0.0.0/33', '10.0.0.0/', '0.0.0.0/0', 'abc', '::1/129']) {
      assert.throws(() => proxies(named), Error, named);
    }
  });
});

describe('an address is read', () => {
  const cases: [hop: string, address: string][] = [
    ['1.2.3.4', '1.2.3.4'],
    ['1.2.3.4:50123', '1.2.3.4'],
    [' "1.2.3.4:50123" ', '1.2.3.4'],
    ['for=1.2.3.4', '1.2.3.4'],
    ['For="[2001:db8::1]:4711";proto=https', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['"[::1]"', '::1'],
    ['2001:db8:1:2:3:4:5:6:443', '2001:db8:1:2:3:4:5:6'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:443', 'fe80::1'],
    ['::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['[::ffff:1.2.3.4]:443', '::ffff:1.2.3.4'],
    ['unknown', 'unknown'],
    ['_hidden:50123', '_hidden:50123'],
    ['', ''],
  ];
  for (const [hop, address] of cases) {
    test(`${hop || 'nothing'}: ${address || 'nothing'}`, () => assert.equal(bareAddress(hop), address));
  }

  test('whatever its port is, it counts as one', () => {
    for (const [one, other] of [
      ['1.2.3.4:1', '1.2.3.4:2'],
      ['[2001:db8::1]:1', '2001:db8::2'],
      ['[::ffff:1.2.3.4]:1', '1.2.3.4:2'],
    ] as const) {
      assert.equal(holderOf(bareAddress(one)), holderOf(bareAddress(other)));
    }
  });
});

describe('a request', () => {
  const isProxy = (address: string) => address.startsWith('10.');
  const cases: [direct: string, forwardedFor: string | undefined, address: string][] = [
    ['1.1.1.1', undefined, '1.1.1.1'],
    ['1.1.1.1', '2.2.2.2', '1.1.1.1'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', '2.2.2.2', '2.2.2.2'],
    ['10.0.0.1', '3.3.3.3, 2.2.2.2', '2.2.2.2'],
    ['10.0.0.1', '3.3.3.3,2.2.2.2 , 10.0.0.2', '2.2.2.2'],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['10.0.0.1', '2.2.2.2, , ', '2.2.2.2'],
    ['10.0.0.1', '2.2.2.2, unknown', 'unknown'],
    ['10.0.0.1', '2.2.2.2:50123', '2.2.2.2'],
    ['10.0.0.1', '3.3.3.3, 2.2.2.2:50123, 10.0.0.2:443', '2.2.2.2'],
    ['10.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
    ['fe80::1%eth0', undefined, 'fe80::1'],
  ];
  for (const [direct, forwardedFor, address] of cases) {
    test(`from ${direct}, forwarded for ${forwardedFor ?? 'nobody'}, is from ${address}`, () => {
      assert.equal(addressOf(direct, forwardedFor, isProxy), address);
    });
  }

  test('through memory has no address', () => assert.equal(addressOf(undefined, '2.2.2.2', isProxy), undefined));
});
