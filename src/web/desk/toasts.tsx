/** Toasts: short notices in passing, and what can still be undone. */
import { useCallback, useState } from 'preact/hooks';
import { text } from './texts.ts';
import type { Undoing } from './undoing.ts';

interface Toast {
  readonly id: number;
  readonly text: string;
}

/** Time to read one, in milliseconds. */
const READING = 8_000;
let ids = 0;

export function useToasts() {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const tell = useCallback((told: string) => {
    const id = ++ids;
    setToasts((all) => [...all.slice(-2), { id, text: told }]);
    setTimeout(() => setToasts((all) => all.filter((toast) => toast.id !== id)), READING);
  }, []);
  return { toasts, tell };
}

interface Props {
  readonly toasts: readonly Toast[];
  readonly undoing: Undoing;
}

export const Toasts = ({ toasts, undoing }: Props) => (
  <div class="toasts" role="status">
    {toasts.map(({ id, text: told }) => (
      <p key={id} dir="auto">
        {told}
      </p>
    ))}
    {undoing.all.map(({ name, text: done }) => (
      <p key={name} class="undo">
        <span dir="auto">{done}</span>
        <button type="button" onClick={() => undoing.undo(name)}>
          {text('undo')}
        </button>
      </p>
    ))}
  </div>
);
