/** A phone's way back, which closes a panel that fills the window. */

/** From here on the panel does not fill the window: as the style has it. */
export const FILLS = '(max-width: 480px)';

const isOurs = (state: unknown): boolean => Object(state).telle === true;

/**
 * Holds an entry of the history while the panel is open, and calls `close` where the customer goes back from it. The page's own routers do not
 * hear of it: nothing of theirs has changed.
 * @returns what is told whether the panel is open
 */
export function watchBack(close: () => void): (isOpen: boolean) => void {
  let isWanted = false;
  let isLeaving = false;
  const hold = () => {
    if (isWanted && !isOurs(history.state)) history.pushState({ ...Object(history.state), telle: true }, '');
  };
  const came = (event: PopStateEvent) => {
    if (isLeaving) {
      isLeaving = false;
      event.stopImmediatePropagation();
      hold(); // it was opened again meanwhile
    } else if (isWanted && !isOurs(event.state)) {
      isWanted = false;
      event.stopImmediatePropagation();
      close();
    }
  };
  addEventListener('popstate', came, true);
  return (isOpen) => {
    const wanted = isOpen && matchMedia(FILLS).matches;
    if (wanted === isWanted) return;
    isWanted = wanted;
    if (wanted && !isLeaving) hold();
    else if (!wanted && !isLeaving && isOurs(history.state)) {
      isLeaving = true;
      history.back();
    }
  };
}
