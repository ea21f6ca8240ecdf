/** Characters of something long that are written at a time: less than a millisecond's work. */
const PIECE = 16 * 1024;

/** The texts of items, joined to pieces. Each is made when it is asked for: others have the time between them. */
export function* piecesOf<Item>(items: Iterable<Item>, textOf: (item: Item) => string): Generator<string> {
  let piece = '';
  for (const item of items) {
    piece += textOf(item);
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}
