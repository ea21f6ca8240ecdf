import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Conversation } from './conversation.ts';
import { Icon } from './icons.tsx';
import type { Memory } from './memory.ts';
import type { Words } from './words.ts';

/** [P-2.5] The most characters of a message. */
const MOST = 4000;

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
    if (message === '') return;
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
        maxLength={MOST}
        aria-label={words.message}
        placeholder={words.message}
        enterkeyhint="send"
        value={text}
        onInput={({ currentTarget }) => write(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      <button type="submit" class="icon" aria-label={words.send} disabled={text.trim() === ''}>
        <Icon name="send" />
      </button>
    </form>
  );
}
