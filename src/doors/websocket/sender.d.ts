/** `ws` exports its `Sender`; its types do not. */
import type {} from 'ws';

declare module 'ws' {
  export const Sender: {
    /** The pieces of a frame: its header, and the data as they were given, which are not changed where nothing is masked. */
    frame(
      data: Buffer,
      options: { fin: boolean; opcode: number; mask: boolean; rsv1: boolean; readOnly: boolean },
    ): Buffer[];
  };
}
