import { RefusedError, refused, unavailable } from '../../schemas/errors.ts';
import { type Store, TooLongError } from './store.ts';

const tooLong = (cause: TooLongError) =>
  refused('unavailable', 'reading this takes the database too long: ask for less of it at a time', {}, { cause });

/**
 * [P-8.5] A store whose every failure, where it is no refusal itself, is the refusal `unavailable`, so that whoever asked can be told to try again.
 * @param onFault told the driver's own error, which nobody outside is, and the method
 */
export function failingAsUnavailable(store: Store, onFault: (fault: unknown, method: string) => void): Store {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]) => {
        try {
          return await method.apply(target, args);
        } catch (fault) {
          if (fault instanceof RefusedError) throw fault;
          onFault(fault, String(name));
          throw fault instanceof TooLongError ? tooLong(fault) : unavailable(fault);
        }
      };
    },
  });
}
