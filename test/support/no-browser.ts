/** Node's own WebSocket looks to some clients like a browser's, and so they send no headers: to be imported before them. */
Reflect.deleteProperty(globalThis, 'WebSocket');
