/** Answers to take, and cards in a row that is swiped: a message's content, which widget and desk draw alike. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Choice, type Content, cardsOf, choicesOf, type ShownCard } from './shown.ts';

export interface ContentWords {
  /** Name of the row of cards. */
  readonly cards: string;
  readonly previousCard: string;
  readonly nextCard: string;
}

interface Props {
  readonly content: Content;
  readonly words: ContentWords;
  /** Language of numbers. */
  readonly lang?: string | undefined;
  /** Label that was taken; with it, nothing can be taken any more. */
  readonly taken?: string | undefined;
  /** Takes a choice. Absent where who looks at it is not asked. */
  readonly take?: ((choice: Choice) => void) | undefined;
}

export function ContentView({ content, words, lang, ...answering }: Props) {
  const cards = cardsOf(content, lang);
  return (
    <>
      <Choices choices={choicesOf(content)} {...answering} />
      {cards.length > 0 && <Row cards={cards} words={words} {...answering} />}
    </>
  );
}

type Answering = Pick<Props, 'taken' | 'take'>;

function Choices({ choices, taken, take }: Answering & { readonly choices: readonly Choice[] }) {
  if (choices.length === 0) return null;
  const isSpent = taken !== undefined;
  return (
    <ul class="offers">
      {choices.map((choice) => {
        const isTaken = choice.label === taken;
        const marks = `offer${isTaken ? ' taken' : ''}`;
        const label = (
          <>
            {isTaken && <span aria-hidden="true">✓ </span>}
            {choice.label}
          </>
        );
        return (
          <li key={choice.label + choice.value}>
            {take ? (
              // Not disabled: whoever took it by the keyboard stays where they were.
              <button
                type="button"
                class={marks}
                dir="auto"
                aria-disabled={isSpent}
                aria-pressed={isSpent ? isTaken : undefined}
                onClick={() => isSpent || take(choice)}
              >
                {label}
              </button>
            ) : (
              <span class={marks} dir="auto">
                {label}
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

interface RowProps extends Answering {
  readonly cards: readonly ShownCard[];
  readonly words: ContentWords;
}

/** The cards, one beside the other: swiped, moved by the arrow keys, and where there is a mouse by two buttons. */
function Row({ cards, words, ...answering }: RowProps) {
  const row = useRef<HTMLDivElement>(null);
  const [ends, setEnds] = useState({ first: true, last: true });
  const look = () => {
    const { scrollLeft = 0, scrollWidth = 0, clientWidth = 0 } = row.current ?? {};
    const passed = Math.abs(scrollLeft); // from right to left it is negative
    setEnds({ first: passed < 2, last: passed + clientWidth > scrollWidth - 2 });
  };
  useLayoutEffect(look, []);
  const turn = (by: 1 | -1) => {
    const { current } = row;
    if (!current) return;
    const forwards = getComputedStyle(current).direction === 'rtl' ? -by : by;
    current.scrollBy({ left: forwards * (current.querySelector('li')?.clientWidth ?? 0) });
  };
  const isRow = cards.length > 1;
  return (
    <div class="cards">
      <div
        class="track"
        ref={row}
        onScroll={look}
        {...(isRow && { tabIndex: 0, role: 'group', 'aria-label': words.cards })} // what scrolls is reached by the keyboard
      >
        <ul>
          {cards.map((card, index) => (
            <li key={index}>
              <CardView card={card} {...answering} />
            </li>
          ))}
        </ul>
      </div>
      {isRow && (
        <>
          <Turn label={words.previousCard} isOver={ends.first} turn={() => turn(-1)} way="previous" />
          <Turn label={words.nextCard} isOver={ends.last} turn={() => turn(1)} way="next" />
        </>
      )}
    </div>
  );
}

interface TurnProps {
  readonly label: string;
  readonly isOver: boolean;
  readonly turn: () => void;
  readonly way: 'previous' | 'next';
}

function Turn({ label, isOver, turn, way }: TurnProps) {
  return (
    <button type="button" class={`turn ${way}`} aria-label={label} aria-disabled={isOver} onClick={turn}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M9 5l7 7-7 7" />
      </svg>
    </button>
  );
}

function CardView({ card, ...answering }: Answering & { readonly card: ShownCard }) {
  const { title, subtitle, price, image, url, choices } = card;
  return (
    <div class="card">
      {image !== undefined && (
        <div class="picture">
          <img src={image} alt="" loading="lazy" decoding="async" referrerpolicy="no-referrer" />
        </div>
      )}
      <div class="about">
        {title !== '' && (
          <p class="title" dir="auto">
            {url === undefined ? title : <Link url={url}>{title}</Link>}
          </p>
        )}
        {subtitle !== '' && (
          <p class="subtitle" dir="auto">
            {subtitle}
          </p>
        )}
        {price !== '' && (
          <p class="price">
            <bdi>{price}</bdi>
          </p>
        )}
        {title === '' && url !== undefined && <Link url={url}>{new URL(url).host}</Link>}
        <Choices choices={choices} {...answering} />
      </div>
    </div>
  );
}

/** A link out of the page, which learns nothing by it. */
const Link = ({ url, children }: { readonly url: string; readonly children: string }) => (
  <a href={url} target="_blank" rel="noopener noreferrer">
    {children}
  </a>
);
