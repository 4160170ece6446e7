/** Under which addresses other machines reach a port of this one. */
import { isIP } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/**
 * @param url of the open port: `ws://0.0.0.0:7400`
 * @returns URLs, IPv4 first; that of a host that is one address already; none where only this machine gets through
 */
export function listReachable(url: string, interfaces: Interfaces = networkInterfaces()): string[] {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host === '::1' || /^127\./.test(host)) return [];
  if (host !== '0.0.0.0' && host !== '::') return [url];
  const addresses = Object.values(interfaces).flatMap((infos) => infos ?? []);
  return addresses
    .filter((info) => !info.internal && isUsable(info.address) && (host === '::' || isIP(info.address) === 4))
    .map(({ address }) => address)
    .sort((a, b) => isIP(a) - isIP(b))
    .map((address) => `${protocol}//${isIP(address) === 6 ? `[${address}]` : address}:${port}`);
}

/** Addresses of one link alone mean nothing without the name that the other machine has for that link. */
const isUsable = (address: string): boolean => !/^(fe80:|169\.254\.)/i.test(address);
