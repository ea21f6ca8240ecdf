/** Either somebody is at the desk, or somebody may sign in. */
import { useEffect, useState } from 'preact/hooks';
import type { Closed } from '../../client/index.ts';
import { InvitationDialog } from './invitation.tsx';
import {
  end,
  forgetToken,
  holdsUntil,
  type Invitation,
  rememberedSignIn,
  rememberToken,
  type SignIn,
  takeFromAddress,
} from './sign-in.ts';
import { SignInPage } from './sign-in-page.tsx';
import { text } from './texts.ts';
import { whenOf } from './words.ts';
import { Workplace } from './workplace.tsx';

/** [P-9] Why it ended, for who may begin it again. */
function reasonOf({ code, reason }: Closed): string {
  if (code === 4401) return text('sign-in over');
  if (code === 4403) return text('origin refused', { origin: location.origin });
  if (code === 4404) return text('no dealer');
  return text('server ended', { code, reason });
}

export function App() {
  // What a link brings seats nobody, and moves nobody who is seated: it is asked first.
  const [invitation, setInvitation] = useState<Invitation | null>(takeFromAddress);
  const [signIn, setSignIn] = useState<SignIn | null>(rememberedSignIn);
  const [notice, setNotice] = useState('');

  const enter = (next: SignIn) => {
    rememberToken(next);
    setNotice('');
    setInvitation(null);
    setSignIn(next);
  };
  const leave = (why: string) => {
    forgetToken();
    setNotice(why);
    setSignIn(null);
  };
  const signOut = (signedIn: SignIn) => {
    leave(text('signing out'));
    end(signedIn).then(
      () => setNotice(text('signed out')),
      (error: Error) =>
        setNotice(text('not ended', { fault: error.message, time: whenOf(holdsUntil(signedIn).toISOString()) })),
    );
  };

  useEffect(() => {
    // A link that is opened in a tab where the desk is already.
    const follow = () => {
      const other = takeFromAddress();
      if (other) setInvitation(other);
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);

  return (
    <>
      {signIn ? (
        <Workplace
          key={signIn.token}
          signIn={signIn}
          ended={(closed) => leave(reasonOf(closed))}
          signOut={() => signOut(signIn)}
        />
      ) : (
        <SignInPage notice={notice} enter={enter} invite={setInvitation} />
      )}
      {invitation && (
        <InvitationDialog invitation={invitation} signedIn={signIn} enter={enter} close={() => setInvitation(null)} />
      )}
    </>
  );
}
