/** `/widget.js`: a chat on a dealer's page, from one script tag. */
import { render } from 'preact';
import type { Token } from '../../client/index.ts';
import contentCss from '../content/content.css' with { type: 'text' };
import { App } from './app.tsx';
import { Conversation } from './conversation.ts';
import { memoryOf } from './memory.ts';
import { type Options, optionsOf } from './options.ts';
import { followPages } from './pageviews.ts';
import type { Person } from './records.ts';
import css from './widget.css' with { type: 'text' };

/** The one global, `telle`. */
export interface Telle {
  /** Opens the panel. */
  open(): void;
  /** Closes the panel; the conversation goes on. */
  close(): void;
  /** Says who the customer is: any fields of a user [P-6.4]. */
  setUser(person: Person): void;
  /** Goes on as the customer that a token of the dealer's own backend names [P-4]: the token, or what fetches one. */
  login(token: Token): void;
}

/** Makes the element, as the last of the page, and what draws into it. */
function makeRoot({ theme }: Options): ShadowRoot {
  const host = document.createElement('telle-widget');
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css + contentCss);
  root.adoptedStyleSheets = [sheet];
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const paint = () => {
    host.dataset.theme = theme ?? (dark.matches ? 'dark' : 'light');
  };
  dark.addEventListener('change', paint);
  paint();
  // What is typed here is no shortcut of the page's, which cannot see that it is typed into a field.
  for (const name of ['keydown', 'keypress', 'keyup']) host.addEventListener(name, (event) => event.stopPropagation());
  document.body.append(host);
  return root;
}

function start(options: Options): Telle {
  const memory = memoryOf(options.dealerId);
  let root: ShadowRoot | undefined;
  let isOpen = memory.isOpen.get();
  /** True where the customer, or the page for them, has opened or closed it: a page change has not. */
  let isWanted = false;
  let isDrawing = false;

  const conversation = new Conversation(options, memory, () => {
    if (isDrawing) return;
    isDrawing = true;
    queueMicrotask(() => {
      isDrawing = false;
      draw();
    });
  });

  /** Nobody is told of a visitor who has neither opened the panel nor a conversation that goes on. */
  const draw = () => {
    if (!root) return;
    if (conversation.state === 'idle' && (isOpen || memory.hasBegun.get())) conversation.connect();
    if (!memory.hasBegun.get() && conversation.entries.some(({ kind }) => kind !== 'announcement')) {
      memory.hasBegun.set(true);
    }
    if (isOpen && !document.hidden && conversation.unread > 0) conversation.read();
    const toggle = () => show(!isOpen);
    render(<App {...{ conversation, options, memory, isOpen, isWanted, toggle }} />, root);
  };

  const show = (open: boolean) => {
    isOpen = open;
    isWanted = open || Boolean(root?.activeElement);
    memory.isOpen.set(open);
    draw();
  };

  // The page's own word comes first: it may say who the customer is as soon as this script has run.
  const appear = () =>
    setTimeout(() => {
      root = makeRoot(options);
      document.addEventListener('visibilitychange', draw);
      // Another tab has begun the conversation, or has read on.
      addEventListener('storage', ({ key }) => (key === memory.hasBegun.key || key === memory.read.key) && draw());
      if (options.hasPageviews) followPages(conversation.records);
      draw();
    });
  if (document.body) appear();
  else addEventListener('DOMContentLoaded', appear);

  return {
    open: () => show(true),
    close: () => show(false),
    setUser: (person) => conversation.records.setUser(person),
    login: (token) => conversation.login(token),
  };
}

const script = document.currentScript;
// A page that has the tag twice has one widget.
if (script instanceof HTMLScriptElement && !Object.hasOwn(window, 'telle')) {
  Object.assign(window, { telle: start(optionsOf(script)) });
}
