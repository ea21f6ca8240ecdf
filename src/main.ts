#!/usr/bin/env node
/**
 * Looks whether this Node.js is new enough, and only then loads the program: an older one could not read it, and would end
 * in a syntax error of somebody else's. For the same reason nothing here is newer than Node.js 12.
 */
// biome-ignore lint/style/useNodejsImportProtocol: an old Node.js does not know it
import { existsSync, readFileSync } from 'fs';

/** The oldest that will do, as package.json says: `>=22`, or `>=22.12`. It is above the sources, and above the build. */
function oldest(): string {
  const [inClone, inPackage] = [
    new URL('../package.json', import.meta.url),
    new URL('../../package.json', import.meta.url),
  ];
  const { engines } = JSON.parse(readFileSync(existsSync(inClone) ? inClone : inPackage, 'utf8'));
  return engines.node.replace('>=', '');
}

function isBefore(version: string, other: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

const { node } = process.versions;
const needed = oldest();
if (isBefore(node, needed)) {
  console.error(`telle: Node.js ${needed} or later is needed, and this is ${node}`);
  process.exitCode = 1;
} else {
  import('./program.ts');
}
