import type { InputHTMLAttributes } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isEmail, isPhone } from './contact.ts';
import type { Conversation } from './conversation.ts';
import { Icon } from './icons.tsx';
import type { Options } from './options.ts';
import { type Vehicle, vehicleIn } from './vehicle.ts';
import type { Words } from './words.ts';

/** [P-6.4] */
const INTENTS = ['test_drive', 'trade_in', 'finance', 'service'] as const;

type Attributes = InputHTMLAttributes<HTMLInputElement>;
const FIELDS: readonly (readonly [name: 'name' | 'email' | 'phone', attributes: Attributes])[] = [
  ['name', { autocomplete: 'name', required: true, dir: 'auto' }],
  // No `type="email"`: that takes no addresses in other scripts than Latin.
  [
    'email',
    { inputMode: 'email', autocapitalize: 'none', autocomplete: 'email', 'aria-describedby': 'reach', dir: 'ltr' },
  ],
  ['phone', { type: 'tel', autocomplete: 'tel', 'aria-describedby': 'reach', dir: 'ltr' }],
];

interface Props {
  readonly conversation: Conversation;
  readonly options: Options;
  readonly done: () => void;
}

/** Says what is missing in the fields by which somebody is reached: without an address or a number, nobody could answer. */
function check(form: HTMLFormElement | null, words: Words): void {
  const [email, phone] = ['email', 'phone'].map((name) => form?.querySelector<HTMLInputElement>(`[name=${name}]`));
  const [mail, number] = [email?.value.trim() ?? '', phone?.value.trim() ?? ''];
  const isOdd = mail !== '' && !isEmail(mail);
  email?.setCustomValidity(isOdd ? words.emailOdd : mail || number ? '' : words.unreachable);
  phone?.setCustomValidity(number !== '' && !isPhone(number) ? words.phoneShort : '');
}

/** The vehicle that the page is about; null: none, and undefined before that is known. */
function useVehicle({ records }: Conversation): Vehicle | null | undefined {
  const [vehicle, setVehicle] = useState<Vehicle | null>();
  useEffect(() => void records.vehicle().then((found) => setVehicle(found ?? null)), []);
  return vehicle;
}

/** Where the customer says how to be reached, and about what. */
export function DetailsForm({ conversation, options: { words, privacy }, done }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const shown = useVehicle(conversation);
  const { user } = conversation.records;

  useLayoutEffect(() => form.current?.querySelector('input')?.focus(), []);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!form.current) return;
    const { intent, vehicle = '', ...given } = Object.fromEntries(new FormData(form.current));
    const person = Object.fromEntries(
      Object.entries(given).flatMap(([name, value]) => {
        const text = String(value).trim();
        return text === '' ? [] : [[name, text]];
      }),
    );
    const named = vehicleIn(String(vehicle));
    conversation.leaveDetails(person, { intent: String(intent), shown: shown ?? undefined, named });
    done();
  };

  return (
    <form class="details" ref={form} onInput={() => check(form.current, words)} onSubmit={submit}>
      <button type="button" class="link" onClick={done}>
        <Icon name="back" /> {words.back}
      </button>
      <h3>{words.details}</h3>
      {FIELDS.map(([name, attributes]) => (
        <label key={name}>
          {words[name]}
          <input {...attributes} name={name} defaultValue={String(user[name] ?? '')} />
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
      {shown === null && (
        <label>
          {words.vehicle}
          <input name="vehicle" dir="auto" autocomplete="off" />
        </label>
      )}
      {privacy && (
        <a href={privacy} target="_blank" rel="noopener noreferrer">
          {words.privacy}
        </a>
      )}
      <button type="submit" class="primary" onClick={() => check(form.current, words)}>
        {words.submit}
      </button>
    </form>
  );
}
