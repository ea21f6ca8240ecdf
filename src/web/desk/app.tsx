/** Either somebody is at the desk, or somebody may sign in. */
import { useEffect, useState } from 'preact/hooks';
import type { Closed } from '../../client/index.ts';
import { forgetToken, rememberedSignIn, rememberToken, type SignIn, signInFromAddress } from './sign-in.ts';
import { SignInPage } from './sign-in-page.tsx';
import { Workplace } from './workplace.tsx';

/** [P-9] Why it ended, for who may begin it again. */
function reasonOf({ code, reason }: Closed): string {
  if (code === 4401) return 'Your sign-in is over, or was refused. Sign in again: what you have written is kept.';
  if (code === 4403) {
    return `This dealer does not allow ${location.origin}. Whoever runs the server can add it to the dealer's origins.`;
  }
  if (code === 4404) return 'There is no such dealer here.';
  return `The server has ended this (${code} ${reason}). Sign in again: what you have written is kept.`;
}

export function App() {
  const [signIn, setSignIn] = useState<SignIn | null>(() => signInFromAddress() ?? rememberedSignIn());
  const [notice, setNotice] = useState('');

  const enter = (next: SignIn) => {
    rememberToken(next);
    setNotice('');
    setSignIn(next);
  };
  const leave = (why: string) => {
    forgetToken();
    setNotice(why);
    setSignIn(null);
  };

  useEffect(() => {
    if (signIn) rememberToken(signIn);
    // A link that is opened in a tab where the desk is already.
    const follow = () => {
      const other = signInFromAddress();
      if (other) enter(other);
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);

  if (!signIn) return <SignInPage notice={notice} enter={enter} />;
  return (
    <Workplace
      key={signIn.token}
      signIn={signIn}
      ended={(closed) => leave(reasonOf(closed))}
      signOut={() => leave('You have signed out.')}
    />
  );
}
