import { useState } from 'preact/hooks';
import { type Invitation, readPasted, type SignIn } from './sign-in.ts';
import { text } from './texts.ts';

interface Props {
  /** Notice to show first. */
  readonly notice: string;
  readonly enter: (signIn: SignIn) => void;
  readonly invite: (invitation: Invitation) => void;
}

export function SignInPage({ notice, enter, invite }: Props) {
  const [fault, setFault] = useState('');
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const pasted = readPasted(String(new FormData(event.currentTarget).get('token')));
    setFault('');
    if (pasted === null) {
      setFault(text('no token'));
    } else if ('token' in pasted) {
      enter(pasted);
    } else {
      invite(pasted);
    }
  };
  return (
    <main class="sign-in">
      <h1>{text('desk')}</h1>
      {notice && (
        <p class="notice" role="status">
          {notice}
        </p>
      )}
      <p>{text('paste link')}</p>
      <form onSubmit={submit}>
        <label for="token">{text('link or token')}</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          required
          aria-describedby="token-fault"
          aria-invalid={fault !== ''}
        />
        <p id="token-fault" class="fault" role="alert">
          {fault}
        </p>
        <button class="primary" type="submit">
          {text('sign in')}
        </button>
      </form>
      <p class="quiet">{text('how to link')}</p>
      <pre>telle token --link --role admin --dealer demo --sub alice</pre>
      <p class="quiet">{text('stays in tab')}</p>
    </main>
  );
}
