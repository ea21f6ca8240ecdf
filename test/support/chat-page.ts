/** The chat on a page of a dealer's site, as a test drives it. */
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { Client } from './client.ts';
import { fromCustomer, type Showroom } from './showroom.ts';
import { visit } from './visitor.ts';

interface Wish extends BrowserContextOptions {
  /** What the browser may complain of. */
  readonly allowed?: RegExp;
}

export const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
export const field = (page: Page) => page.getByLabel('Your message');
export const seen = (page: Page, text: string) => page.getByText(text, { exact: true }).waitFor();
/** What the log's bubbles say, as it stands in the document. */
export const texts = (page: Page): Promise<string[]> => page.locator('.text').allTextContents();

/** The widget's tag, with attributes. */
export const tagOf = (room: Showroom, attributes = '') =>
  `<script src="${room.origin}/widget.js" data-dealer="demo" ${attributes} async></script>`;

/** A page of the site with anything on it, in the browser of a visitor of their own. */
export function onSite(
  room: Showroom,
  path: string,
  { allowed, ...options }: Wish,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const { browser, site, origin } = room;
  const context = { reducedMotion: 'reduce', ...options } as const;
  const origins = [site.origin, origin];
  return visit({ browser, origins, options: context, ...(allowed && { allowed }) }, async (visitor) => {
    const page = await visitor.newPage();
    await page.goto(site.origin + path);
    await use(page);
  });
}

export async function openChat(page: Page): Promise<void> {
  await button(page, /^Open the chat/).click();
  await page.getByRole('dialog', { name: 'Chat with us' }).waitFor();
}

export async function write(page: Page, message: string): Promise<void> {
  await field(page).fill(message);
  await field(page).press('Enter');
}

/** Says something in the open chat. @returns the group, when it is acked */
export async function say(page: Page, agent: Client, message: string): Promise<string> {
  await write(page, message);
  const { payload } = await agent.next((frame) => fromCustomer(frame) && frame.payload.message === message);
  await page.getByText('Sending…').waitFor({ state: 'detached' });
  return payload.groupId;
}
