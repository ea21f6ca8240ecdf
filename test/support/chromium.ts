/** A real browser: Debian's Chromium, without a window. */
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
  return chromium.launch({ executablePath: path, headless: true, args: FLAGS });
}
