import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Which addresses are ordinary ones of the public internet. Decided on the bytes, never on the text, by two judges that
 * must both agree: the ranges below (IANA special-purpose registries) and those of ipaddr.js.
 */
const NOT_GLOBAL_V4: readonly (readonly [string, string])[] = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared by a provider (CGNAT)'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'documentation'],
  ['192.31.196.0/24', 'AS112'],
  ['192.52.193.0/24', 'AMT'],
  ['192.88.99.0/24', '6to4 relay'],
  ['192.168.0.0/16', 'private'],
  ['192.175.48.0/24', 'AS112'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
];

/** Within 2000::/3, the only part of IPv6 that is given out. */
const NOT_GLOBAL_V6: readonly (readonly [string, string])[] = [
  ['2001::/23', 'protocol assignments (Teredo, ORCHID, benchmarking)'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', '6to4'],
  ['2620:4f:8000::/48', 'AS112'],
  ['3fff::/20', 'documentation'],
];

interface Range {
  readonly bytes: readonly number[];
  readonly bits: number;
  readonly name: string;
}
const parsed = (list: readonly (readonly [string, string])[]): readonly Range[] =>
  list.map(([cidr, name]) => {
    const [address, bits] = ipaddr.parseCIDR(cidr);
    return { bytes: address.toByteArray(), bits, name };
  });
const V4 = parsed(NOT_GLOBAL_V4);
const V6 = parsed(NOT_GLOBAL_V6);
const [GLOBAL_V6] = parsed([['2000::/3', 'global']]);

/** Undefined: an ordinary public address. Else what kind it is; unreadable text is refused like any other. */
export function whyNotGlobal(address: string): string | undefined {
  // A zone id (fe80::1%eth0) names an interface of this machine.
  // isIP is strict where ipaddr.js takes the old short and octal spellings.
  if (address.includes('%') || isIP(address) === 0) return 'unreadable';
  const ip = ipaddr.parse(address);
  const bytes = ip.toByteArray();
  if (bytes.length === 16 && !within(bytes, GLOBAL_V6!)) return embedded(bytes) ?? v6Kind(bytes);
  const range = (bytes.length === 4 ? V4 : V6).find((one) => within(bytes, one));
  if (range !== undefined) return range.name;
  const second = ip.range();
  return second === 'unicast' ? undefined : second;
}

function within(bytes: readonly number[], { bytes: base, bits }: Range): boolean {
  for (let i = 0, left = bits; left > 0; i++, left -= 8) {
    const mask = left >= 8 ? 0xff : (0xff << (8 - left)) & 0xff;
    if (((bytes[i] ?? 0) & mask) !== ((base[i] ?? 0) & mask)) return false;
  }
  return true;
}

/** IPv4 in IPv6 clothes: refused whatever it carries, because what dials it decides where it ends. */
function embedded(bytes: readonly number[]): string | undefined {
  const zeros = (from: number, to: number) => bytes.slice(from, to).every((byte) => byte === 0);
  if (zeros(0, 10) && bytes[10] === 0xff && bytes[11] === 0xff) return 'IPv4-mapped';
  if (bytes[0] === 0x00 && bytes[1] === 0x64 && bytes[2] === 0xff && bytes[3] === 0x9b) return 'NAT64';
  if (zeros(0, 15) && bytes[15] === 1) return 'loopback';
  if (zeros(0, 16)) return 'unspecified';
  return zeros(0, 12) ? 'IPv4-compatible' : undefined;
}

function v6Kind([first = 0, second = 0]: readonly number[]): string {
  if ((first & 0xfe) === 0xfc) return 'private (ULA)';
  if (first === 0xfe && (second & 0xc0) === 0x80) return 'link-local';
  if (first === 0xfe && (second & 0xc0) === 0xc0) return 'site-local';
  return first === 0xff ? 'multicast' : 'reserved';
}
