/** The open chat. */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { answering } from './answering.ts';
import { Composer, isComposing } from './composer.tsx';
import type { Conversation } from './conversation.ts';
import { DetailsForm } from './form.tsx';
import { Icon } from './icons.tsx';
import { Messages } from './messages.tsx';
import type { Options } from './options.ts';
import type { Words } from './words.ts';

interface PanelProps {
  readonly conversation: Conversation;
  readonly options: Options;
  readonly isWanted: boolean;
  readonly close: () => void;
}

export function Panel({ conversation, options, isWanted, close }: PanelProps) {
  const { words, lang } = options;
  const [view, show] = useState<'chat' | 'form'>('chat');
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
      onKeyDown={(event) => event.key === 'Escape' && !isComposing(event) && close()}
    >
      <header>
        <div>
          <h2>{words.title}</h2>
          <p role="status">
            <bdi>{answering(conversation, words, lang)}</bdi>
          </p>
        </div>
        <button type="button" class="icon" aria-label={words.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <Connection conversation={conversation} words={words} />
      {view === 'form' ? (
        <DetailsForm conversation={conversation} options={options} done={() => show('chat')} />
      ) : (
        <>
          <Messages conversation={conversation} options={options} leaveDetails={() => show('form')} />
          <footer>
            <p class="note" role="status">
              {noted(conversation, words)}
            </p>
            <Composer conversation={conversation} words={words} draft={conversation.memory.draft} />
            <button type="button" class="link" onClick={() => show('form')}>
              {words.details}
            </button>
          </footer>
        </>
      )}
    </section>
  );
}

/** Says what has become of the details, and that the chat is closed. */
function noted({ closed, details, state }: Conversation, words: Words): string {
  const sending = state === 'joined' ? words.sending : words.detailsWait;
  const left = { none: '', sending, sent: words.thanks, failed: words.unsubmitted }[details];
  return [closed ? words.reopen : '', left].filter(Boolean).join(' ');
}

/** Fault of the connection; nothing while it is up. */
function Connection({ conversation, words }: { readonly conversation: Conversation; readonly words: Words }) {
  const { state, isLost, trouble } = conversation;
  const hasEnded = state === 'closed' || (trouble !== undefined && trouble !== 'unreachable');
  const ended = trouble === 'unauthorized' ? words.loginNeeded : words.refused;
  const isOffline = isLost || trouble === 'unreachable';
  const says = hasEnded ? ended : isOffline ? words.offline : state === 'connecting' ? words.connecting : '';
  return (
    <div class="connection">
      <span role="status">{says}</span>
      {hasEnded && (
        <button type="button" class="link" onClick={() => conversation.again()}>
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
