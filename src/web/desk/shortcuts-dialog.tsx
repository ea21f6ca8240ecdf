import { Dialog } from './dialog.tsx';
import { FIXED, SHORTCUTS, type Shortcut } from './shortcuts.ts';
import { text } from './texts.ts';

interface Props {
  readonly areOn: boolean;
  readonly turn: (areOn: boolean) => void;
  readonly close: () => void;
}

const Keys = ({ shortcuts }: { readonly shortcuts: readonly Shortcut[] }) => (
  <dl class="keys">
    {shortcuts.map(({ key, what }) => (
      <div key={key}>
        <dt>
          <kbd>{key}</kbd>
        </dt>
        <dd>{text(what)}</dd>
      </div>
    ))}
  </dl>
);

export const Shortcuts = ({ areOn, turn, close }: Props) => (
  <Dialog title={text('keyboard shortcuts')} close={close}>
    <Keys shortcuts={SHORTCUTS} />
    <label class="choice">
      <input type="checkbox" checked={areOn} onChange={({ currentTarget }) => turn(currentTarget.checked)} />
      {text('single keys')}
    </label>
    <Keys shortcuts={FIXED} />
    <div class="buttons">
      <button type="button" class="primary" onClick={close}>
        {text('close')}
      </button>
    </div>
  </Dialog>
);
