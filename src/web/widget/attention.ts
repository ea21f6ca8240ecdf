/** Calls the customer back who looks elsewhere: by the page's title, and a sound. */
import { more } from './lazy.ts';

/** Time for which no other tab of the same site sounds for the same message, in milliseconds. */
const ONE_RINGS = 2_000;

/** The title before it was ours, and ours. */
let titles: { readonly own: string; readonly ours: string } | undefined;

/** Counts what waits in the title of a tab that nobody sees; a title that the page has changed meanwhile stays. */
export function countInTitle(unread: number): void {
  const isOurs = titles !== undefined && document.title === titles.ours;
  const own = isOurs && titles ? titles.own : document.title;
  const isCounting = document.hidden && unread > 0;
  if (isCounting) {
    titles = { own, ours: `(${unread}) ${own}` };
    document.title = titles.ours;
  } else if (isOurs) {
    document.title = own;
    titles = undefined;
  }
}

/** Sounds for a message, in one of the site's tabs. A page that nobody has touched makes no sound. */
export async function soundFor(id: string): Promise<void> {
  if (!navigator.userActivation?.hasBeenActive) return;
  if (!navigator.locks) return more?.ring();
  await navigator.locks.request(`telle/${id}`, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    await more?.ring();
    await new Promise((done) => setTimeout(done, ONE_RINGS));
  });
}
