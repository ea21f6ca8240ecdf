/** Socket.IO as its documentation teaches: an insert a message, then `to(room).emit`. */
import { serve } from './socketio-rooms.ts';
import { oneByOne } from './store.ts';

serve(oneByOne());
