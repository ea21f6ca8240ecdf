/** The element of the widget: on top of everything, reached by nothing of the page, and put back where the page takes it out. */
import css from './widget.css' with { type: 'text' };

const NAME = 'telle-widget';
/** Shortest time between two times that it is put back, in milliseconds: a page that takes it out at once is not fought. */
const PUTS_BACK = 100;

/** Keys pressed here are no shortcuts of the page's, which cannot see that they are typed into a field. */
const KEYS = ['keydown', 'keypress', 'keyup'] as const;
/** By these a page's modal notices that the focus is outside of it, and takes it back. */
const FOCUS = ['focus', 'focusin'] as const;

export interface Host {
  readonly root: ShadowRoot;
  /** Where to draw. */
  readonly frame: HTMLElement;
}

/** Makes the element, as the last of the page. It has no attributes: themes go by them. */
export function makeHost(): Host {
  const element = document.createElement(NAME);
  const root = element.attachShadow({ mode: 'open' });
  addStyle(root, css);
  const frame = document.createElement('div');
  frame.className = 'frame';
  frame.popover = 'manual';
  root.append(frame);
  for (const name of KEYS) element.addEventListener(name, (event) => event.stopPropagation());
  for (const name of FOCUS) {
    addEventListener(name, (event) => event.target === element && event.stopImmediatePropagation(), true);
  }
  keepOnPage(element, frame);
  return { root, frame };
}

export function addStyle(root: ShadowRoot, text: string): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}

/** Pages swap their body, or all that is in it (Turbo, htmx, a framework that starts): the element goes back, once. */
function keepOnPage(element: HTMLElement, frame: HTMLElement): void {
  let at = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const observer = new MutationObserver(() => putBack());
  const putBack = () => {
    // A copy of the page, kept for the way back, has a copy of the element, and nothing in it.
    for (const other of document.querySelectorAll(NAME)) if (other !== element) other.remove();
    if (element.isConnected || !document.body) return;
    const wait = at + PUTS_BACK - performance.now();
    clearTimeout(timer);
    if (wait > 0) {
      timer = setTimeout(putBack, wait);
      return;
    }
    at = performance.now();
    document.body.append(element);
    // The page's body may be another one.
    observer.observe(document.body, { childList: true });
    if (frame.isConnected) frame.showPopover?.();
  };
  observer.observe(document.documentElement, { childList: true });
  observer.observe(document, { childList: true });
  putBack();
}
