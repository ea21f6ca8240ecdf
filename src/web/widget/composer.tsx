import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { lengthOf, MAX_LENGTH } from '../text/length.ts';
import type { Conversation } from './conversation.ts';
import { Icon } from './icons.tsx';
import type { Memory } from './memory.ts';
import { say, type Words } from './words.ts';

/** Code of a key that an input method takes for itself. Safari says so of the Enter that ends a word, and that nothing is composed any more. */
const PROCESSED = 229;

/** Tells whether a key belongs to the word that is being put together, as in Japanese or Chinese. */
export const isComposing = ({ isComposing, keyCode }: KeyboardEvent): boolean => isComposing || keyCode === PROCESSED;

/** [P-2.5] Number of characters that are too many. */
const over = (text: string): number => Math.max(0, lengthOf(text) - MAX_LENGTH);

interface Props {
  readonly conversation: Conversation;
  readonly words: Words;
  readonly draft: Memory['draft'];
}

/** Where the customer writes. What is written stays over page changes until it is sent. */
export function Composer({ conversation, words, draft }: Props) {
  const [text, setText] = useState(() => draft.get());
  const field = useRef<HTMLTextAreaElement>(null);

  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
  }, [text]);

  const write = (written: string) => {
    draft.set(written);
    setText(written);
    conversation.typed(written !== '');
  };
  const send = () => {
    const message = text.trim();
    if (message === '' || over(message) > 0) return;
    conversation.send(message);
    write('');
    field.current?.focus();
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        aria-label={words.message}
        aria-describedby="over"
        aria-invalid={over(text.trim()) > 0}
        placeholder={words.message}
        enterkeyhint="send"
        value={text}
        onInput={({ currentTarget }) => write(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
          event.preventDefault();
          send();
        }}
      />
      <button type="submit" class="icon" aria-label={words.send} disabled={text.trim() === '' || over(text.trim()) > 0}>
        <Icon name="send" />
      </button>
      <p class="over" id="over" role="status">
        {over(text.trim()) > 0 ? say(words.tooLong, { count: over(text.trim()) }) : ''}
      </p>
    </form>
  );
}
