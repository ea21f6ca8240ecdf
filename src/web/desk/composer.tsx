/** Where an answer is written. Nothing of it is lost: every stroke is kept, over reloads and sign-ins. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Conversation, nameOf } from './conversation.ts';
import type { Desk } from './desk.ts';
import { LengthHint, lengthOf, MAX_LENGTH } from './length.tsx';
import { isComposed } from './shortcuts.ts';
import { text as say } from './texts.ts';

interface Props {
  readonly desk: Desk;
  readonly conversation: Conversation;
  /** True where somebody opened it to answer. */
  readonly mustFocus: boolean;
}

/** Interval at which it is repeated that somebody still types, in milliseconds. */
const STILL = 3_000;

/** A pointer that is no finger: on a phone the keyboard would cover what is to be read first. */
const FINE = '(pointer: fine)';

export function Composer({ desk, conversation, mustFocus }: Props) {
  const { groupId } = conversation;
  const [text, setText] = useState(() => desk.drafts.get(groupId) ?? '');
  /** When it was last said that this admin types; 0: not. */
  const saidAt = useRef(0);
  const field = useRef<HTMLTextAreaElement>(null);
  const canSend = text.trim() !== '' && lengthOf(text) <= MAX_LENGTH;

  const tellTyping = (isTyping: boolean) => {
    const now = Date.now();
    if (isTyping ? now - saidAt.current < STILL : saidAt.current === 0) return;
    saidAt.current = isTyping ? now : 0;
    desk.acts.typing(groupId, isTyping);
  };
  const write = (next: string) => {
    desk.drafts.put(groupId, next);
    setText(next);
    tellTyping(next !== '');
  };
  const send = () => {
    if (!canSend) return;
    tellTyping(false);
    desk.sending.say(groupId, text.trim());
    desk.drafts.drop(groupId);
    setText('');
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || isComposed(event)) return;
    event.preventDefault();
    send();
  };

  useEffect(() => {
    if (mustFocus && matchMedia(FINE).matches && !document.querySelector('dialog[open]')) field.current?.focus();
  }, []);

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        id="answer"
        ref={field}
        rows={1}
        dir="auto"
        aria-label={say('answer', { name: nameOf(conversation) })}
        placeholder={say('write answer')}
        value={text}
        onInput={({ currentTarget }) => write(currentTarget.value)}
        onKeyDown={press}
        onBlur={() => tellTyping(false)}
      />
      <button type="submit" class="primary" disabled={!canSend}>
        {say('send')}
      </button>
      <LengthHint text={text} />
    </form>
  );
}
