/** Version 2 came without types, and version 3 with some that are not found. */
declare module 'socket.io-client-2' {
  export default function connect(url: string, options: object): unknown;
}
declare module 'socket.io-client-3' {
  export function io(url: string, options: object): unknown;
}
