/** Toasts: short notices in passing. */
import { useCallback, useState } from 'preact/hooks';

interface Toast {
  readonly id: number;
  readonly text: string;
}

/** Time to read one, in milliseconds. */
const READING = 8_000;
let ids = 0;

export function useToasts() {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const tell = useCallback((text: string) => {
    const id = ++ids;
    setToasts((all) => [...all.slice(-2), { id, text }]);
    setTimeout(() => setToasts((all) => all.filter((toast) => toast.id !== id)), READING);
  }, []);
  return { toasts, tell };
}

export const Toasts = ({ toasts }: { readonly toasts: readonly Toast[] }) => (
  <div class="toasts" role="status">
    {toasts.map(({ id, text }) => (
      <p key={id} dir="auto">
        {text}
      </p>
    ))}
  </div>
);
