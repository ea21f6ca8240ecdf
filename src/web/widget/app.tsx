import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Conversation } from './conversation.ts';
import { Icon } from './icons.tsx';
import { more } from './lazy.ts';
import { type Entry, nameOf } from './log.ts';
import type { Options } from './options.ts';
import { say, type Words } from './words.ts';

/** More than so many are not counted on the button. */
const MOST = 9;

interface Shared {
  readonly conversation: Conversation;
  readonly options: Options;
}

interface AppProps extends Shared {
  readonly isOpen: boolean;
  /** True where the customer has just opened or closed it: then what appears is where to go on. */
  readonly isWanted: boolean;
  /** A message to show beside the button. */
  readonly preview: Entry | undefined;
  readonly toggle: () => void;
  readonly dismiss: () => void;
}

/** The button, or the panel that it opens. */
export function App({ isOpen, isWanted, preview, toggle, dismiss, ...shared }: AppProps) {
  const { words, lang } = shared.options;
  const unread = shared.conversation.unread.length;
  const waiting = unread > 0 && !isOpen ? say(words.unread, { count: unread }) : '';
  return (
    <div lang={lang}>
      {isOpen && more ? (
        <more.Panel {...shared} isWanted={isWanted} close={toggle} />
      ) : (
        <>
          {preview && <Preview entry={preview} words={words} open={toggle} dismiss={dismiss} />}
          <Launcher label={[words.open, waiting].filter(Boolean).join('. ')} {...{ unread, isWanted, toggle }} />
        </>
      )}
      <span class="hidden" role="status">
        {waiting}
      </span>
    </div>
  );
}

interface PreviewProps {
  readonly entry: Entry;
  readonly words: Words;
  readonly open: () => void;
  readonly dismiss: () => void;
}

/** The beginning of what has just been said. */
function Preview({ entry, words, open, dismiss }: PreviewProps) {
  return (
    <section class="preview" aria-label={words.newMessage}>
      <button type="button" class="said" onClick={open}>
        <b>
          <bdi>{nameOf(entry, words)}</bdi>
        </b>
        <span dir="auto">{entry.text}</span>
      </button>
      <button type="button" class="icon" aria-label={words.dismiss} onClick={dismiss}>
        <Icon name="close" />
      </button>
    </section>
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
