/** A real browser: Debian's Chromium, without a window. */
import { execFileSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';
import { programOf } from './debian.ts';

/** Nothing that goes out to the network by itself; and no sandbox, which root has none of. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function startChromium(): Promise<Browser> {
  const { path } = programOf({ binary: 'usr/bin/chromium', packages: ['chromium'], formula: 'chromium' });
  // It is started by its whole path.
  const executablePath = execFileSync('sh', ['-c', 'command -v "$1"', 'sh', path], { encoding: 'utf8' }).trim();
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}
