/** A bound, not a peer: plain `ws` that stores nothing. */
import { serve } from './rooms.ts';
import { nowhere } from './store.ts';

serve(nowhere);
