import type { InputHTMLAttributes } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Conversation } from './conversation.ts';
import { Icon } from './icons.tsx';
import type { Options } from './options.ts';

/** [P-6.4] */
const INTENTS = ['test_drive', 'trade_in', 'finance', 'service'] as const;

type Attributes = InputHTMLAttributes<HTMLInputElement>;
const FIELDS: readonly (readonly [name: 'name' | 'email' | 'phone', attributes: Attributes])[] = [
  ['name', { autocomplete: 'name', required: true }],
  ['email', { type: 'email', autocomplete: 'email', 'aria-describedby': 'reach' }],
  ['phone', { type: 'tel', autocomplete: 'tel', 'aria-describedby': 'reach' }],
];

interface Props {
  readonly conversation: Conversation;
  readonly options: Options;
  /** @param isLeft whether the details were sent */
  readonly done: (isLeft: boolean) => void;
}

/** Where the customer says how to be reached, and about what. */
export function DetailsForm({ conversation, options: { words, privacy }, done }: Props) {
  const [state, setState] = useState<'open' | 'sending' | 'failed'>('open');
  const form = useRef<HTMLFormElement>(null);
  const { user } = conversation.records;

  useLayoutEffect(() => form.current?.querySelector('input')?.focus(), []);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!form.current) return;
    const { intent, ...given } = Object.fromEntries(new FormData(form.current));
    const person = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
    setState('sending');
    try {
      conversation.connect();
      await conversation.records.submit(person, String(intent));
      done(true);
    } catch {
      setState('failed');
    }
  };
  /** Without an address or a number, nobody could answer. */
  const check = () => {
    const email = form.current?.querySelector<HTMLInputElement>('[name=email]');
    const phone = form.current?.querySelector<HTMLInputElement>('[name=phone]');
    email?.setCustomValidity(email.value || phone?.value ? '' : words.unreachable);
  };

  return (
    <form class="details" ref={form} onInput={check} onSubmit={submit}>
      <button type="button" class="link" onClick={() => done(false)}>
        <Icon name="back" /> {words.back}
      </button>
      <h3>{words.details}</h3>
      {FIELDS.map(([name, attributes]) => (
        <label key={name}>
          {words[name]}
          <input {...attributes} name={name} maxLength={200} defaultValue={String(user[name] ?? '')} />
        </label>
      ))}
      <p class="status" id="reach">
        {words.reach}
      </p>
      <label>
        {words.intent}
        <select name="intent" required>
          {INTENTS.map((intent) => (
            <option key={intent} value={intent}>
              {words[intent]}
            </option>
          ))}
        </select>
      </label>
      {privacy && (
        <a href={privacy} target="_blank" rel="noopener noreferrer">
          {words.privacy}
        </a>
      )}
      <button type="submit" class="primary" disabled={state === 'sending'} onClick={check}>
        {state === 'sending' ? words.sending : words.submit}
      </button>
      <p class="note" role="alert">
        {state === 'failed' ? words.unsubmitted : ''}
      </p>
    </form>
  );
}
