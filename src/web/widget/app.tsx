import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Composer } from './composer.tsx';
import type { Conversation } from './conversation.ts';
import { DetailsForm } from './form.tsx';
import { Icon } from './icons.tsx';
import type { Memory } from './memory.ts';
import { Messages } from './messages.tsx';
import type { Options } from './options.ts';
import { say, type Words } from './words.ts';

/** More than so many are not counted on the button. */
const MOST = 9;

interface Shared {
  readonly conversation: Conversation;
  readonly options: Options;
  readonly memory: Memory;
}

interface AppProps extends Shared {
  readonly isOpen: boolean;
  /** True where the customer has just opened or closed it: then what appears is where to go on. */
  readonly isWanted: boolean;
  readonly toggle: () => void;
}

/** The button, or the panel that it opens. */
export function App({ isOpen, isWanted, toggle, ...shared }: AppProps) {
  const { words, lang } = shared.options;
  const { unread } = shared.conversation;
  const waiting = unread > 0 && !isOpen ? say(words.unread, { count: unread }) : '';
  return (
    <div lang={lang}>
      {isOpen ? (
        <Panel {...shared} isWanted={isWanted} close={toggle} />
      ) : (
        <Launcher label={[words.open, waiting].filter(Boolean).join('. ')} {...{ unread, isWanted, toggle }} />
      )}
      <span class="hidden" role="status">
        {waiting}
      </span>
    </div>
  );
}

interface LauncherProps extends Pick<AppProps, 'isWanted' | 'toggle'> {
  readonly label: string;
  readonly unread: number;
}

function Launcher({ label, unread, isWanted, toggle }: LauncherProps) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (isWanted) button.current?.focus();
  }, []);
  return (
    <button ref={button} type="button" class="launcher" aria-haspopup="dialog" aria-label={label} onClick={toggle}>
      <Icon name="chat" />
      {unread > 0 && (
        <span class="badge" aria-hidden="true">
          {unread > MOST ? `${MOST}+` : unread}
        </span>
      )}
    </button>
  );
}

interface PanelProps extends Shared {
  readonly isWanted: boolean;
  readonly close: () => void;
}

function Panel({ conversation, options, memory, isWanted, close }: PanelProps) {
  const { words } = options;
  const [view, show] = useState<'chat' | 'form'>('chat');
  const [hasLeft, setHasLeft] = useState(false);
  const panel = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useVisibleHeight(panel);
  useLayoutEffect(() => {
    const isHere = isWanted || !isFirst.current;
    isFirst.current = false;
    if (!isHere || view === 'form') return;
    // On a phone the keyboard would hide what there is to read.
    const field = isTouched() ? null : panel.current?.querySelector('textarea');
    (field ?? panel.current)?.focus();
  }, [view]);
  return (
    <section
      ref={panel}
      class="panel"
      role="dialog"
      tabIndex={-1}
      aria-label={words.title}
      onKeyDown={(event) => event.key === 'Escape' && close()}
    >
      <header>
        <div>
          <h2>{words.title}</h2>
          <p>
            <bdi>{answering(conversation, words)}</bdi>
          </p>
        </div>
        <button type="button" class="icon" aria-label={words.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <Connection conversation={conversation} words={words} />
      {view === 'form' ? (
        <DetailsForm
          conversation={conversation}
          options={options}
          done={(isLeft) => {
            setHasLeft(hasLeft || isLeft);
            show('chat');
          }}
        />
      ) : (
        <>
          <Messages conversation={conversation} options={options} />
          <footer>
            <p class="note" role="status">
              {conversation.closed ? words.reopen : hasLeft ? words.thanks : ''}
            </p>
            <Composer conversation={conversation} words={words} draft={memory.draft} />
            <button type="button" class="link" onClick={() => show('form')}>
              {words.details}
            </button>
          </footer>
        </>
      )}
    </section>
  );
}

/** Says who answers; nothing before that is known. */
function answering({ author, online, state }: Conversation, words: Words): string {
  if (author?.kind === 'admin') return say(words.adminAnswers, { name: author.name ?? words.admin });
  if (author) return words.botAnswers;
  if (state !== 'joined') return '';
  return online ? words.here : words.away;
}

/** Fault of the connection; nothing while it is up. */
function Connection({ conversation, words }: { readonly conversation: Conversation; readonly words: Words }) {
  const { state, isLost, needsLogin } = conversation;
  const ended = needsLogin ? words.loginNeeded : words.refused;
  const says = state === 'closed' ? ended : isLost ? words.offline : state === 'connecting' ? words.connecting : '';
  return (
    <div class="connection">
      <span role="status">{says}</span>
      {state === 'closed' && (
        <button type="button" class="link" onClick={() => conversation.connect()}>
          {words.again}
        </button>
      )}
    </div>
  );
}

const isTouched = () => matchMedia('(pointer: coarse)').matches;

/** Keeps the panel of a phone above its keyboard, which covers the page and does not shrink it. */
function useVisibleHeight(panel: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const { visualViewport } = window;
    const fit = () => {
      const { height, offsetTop, scale } = visualViewport ?? { height: 0, offsetTop: 0, scale: 0 };
      if (scale !== 1) return; // who looks closer wants the panel to stay
      panel.current?.style.setProperty('--visible-height', `${height}px`);
      panel.current?.style.setProperty('--visible-top', `${offsetTop}px`);
    };
    fit();
    for (const name of ['resize', 'scroll'] as const) visualViewport?.addEventListener(name, fit);
    return () => {
      for (const name of ['resize', 'scroll'] as const) visualViewport?.removeEventListener(name, fit);
    };
  }, []);
}
