/** A real browser: Debian's Chromium, without a window. */
import { execFileSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

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

function onPath(): string | null {
  try {
    return execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

function install(): string | null {
  if (process.getuid?.() !== 0) return null;
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], { stdio: 'ignore' });
  } catch {
    return null;
  }
  return onPath();
}

export async function startChromium(): Promise<Browser> {
  const executablePath = onPath() ?? install();
  if (!executablePath) throw new Error('no chromium: install it (apt-get install chromium)');
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}
