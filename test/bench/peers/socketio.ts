/** Socket.IO over the store that `bare` has. */
import { serve } from './socketio-rooms.ts';
import { microBatched } from './store.ts';

serve(microBatched());
