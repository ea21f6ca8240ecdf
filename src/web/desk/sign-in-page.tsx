import { useState } from 'preact/hooks';
import { type Invitation, readPasted, type SignIn } from './sign-in.ts';

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
      setFault('This is not the token of an admin. It is a long word with two dots in it, or a link that ends in one.');
    } else if ('token' in pasted) {
      enter(pasted);
    } else {
      invite(pasted);
    }
  };
  return (
    <main class="sign-in">
      <h1>Telle desk</h1>
      {notice && (
        <p class="notice" role="status">
          {notice}
        </p>
      )}
      <p>Open the link that you were given, or paste it (or the token alone) here.</p>
      <form onSubmit={submit}>
        <label for="token">Link or token</label>
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
          Sign in
        </button>
      </form>
      <p class="quiet">
        Whoever runs the server makes such a link, good once and for a minute. For Alice at the dealer demo:
      </p>
      <pre>telle token --link --role admin --dealer demo --sub alice</pre>
      <p class="quiet">The token stays in this tab, and is forgotten when you close it.</p>
    </main>
  );
}
