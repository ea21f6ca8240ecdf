/** Newcomer's page: shows whether the server is well, and keeps asking. */

/** Between two questions, in milliseconds. */
const INTERVAL = 5_000;

interface Health {
  readonly version?: string;
  readonly uptime?: number;
}

function say(id: string, text: string, isWell?: boolean): void {
  const element = document.getElementById(id);
  if (!element || element.textContent === text) return; // what has not changed is not read out again
  element.textContent = text;
  if (isWell !== undefined) element.className = isWell ? 'well' : 'ill';
}

/** @returns what was answered; null where nothing was, or that it is not well */
async function ask(path: string): Promise<Health | null> {
  const response = await fetch(path, { cache: 'no-store' }).catch(() => null);
  return response?.ok ? response.json() : null;
}

/** Seconds, in words. */
function since(uptime: number): string {
  const minutes = Math.floor(uptime / 60);
  if (minutes < 1) return 'for less than a minute';
  if (minutes < 120) return `for ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`;
  return `for ${Math.floor(minutes / 60)} hours`;
}

async function look(): Promise<void> {
  const [health, ready] = await Promise.all([ask('/health'), ask('/ready')]);
  say('process', health ? `Runs ${since(health.uptime ?? 0)}` : 'Does not answer', health !== null);
  say('database', ready ? 'Answers' : health ? 'Does not answer' : 'Unknown', ready !== null);
  if (health?.version !== undefined) say('version', health.version);
  setTimeout(look, INTERVAL);
}

say('tag', `<script src="${location.origin}/widget.js" data-dealer="demo" async></script>`);
look();
