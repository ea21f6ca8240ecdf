import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Paints text where a terminal shows it, and leaves it plain where it goes to a file or another program. */
export const painter =
  (stream: NodeJS.WriteStream) =>
  (style: Style, text: string): string =>
    stream.isTTY && stream.hasColors() ? styleText(style, text) : text;
