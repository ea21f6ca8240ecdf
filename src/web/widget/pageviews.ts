import type { Page } from './address.ts';

/** Time that a page may take to get its title after its address has changed, in milliseconds. */
const SETTLES = 300;
/** Interval at which a browser that does not report a new address is asked for it, in milliseconds. */
const ASKS = 1_000;

/** Tells of the page, and of each to which the customer goes without leaving it. */
export function followPages(view: (page: Page) => void): void {
  let url = '';
  const look = () => {
    if (location.href === url) return;
    const referrer = url || document.referrer;
    url = location.href;
    view({ url, title: document.title, referrer });
  };
  look();
  const { navigation } = window;
  // The page's `history` stays its own: it is watched, not replaced.
  if (navigation) navigation.addEventListener('currententrychange', () => setTimeout(look, SETTLES));
  else setInterval(look, ASKS);
}
