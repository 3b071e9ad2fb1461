/** Runs a call of a store, and measures it. */
export type ObserveCall = <T>(call: string, work: () => Promise<T>) => Promise<T>;

/** The calls that take as long as their caller's own work, or that return no promise. */
const NOT_MEASURED = new Set<PropertyKey>(['withLocalFile', 'list', 'close']);

/**
 * Returns a store of blobs or staged bytes whose calls are observed. The duration of a `read` is that until its bytes
 * can be read.
 */
export function observeStore<Store extends object>(store: Store, observe: ObserveCall): Store {
  const methods = new WeakMap<object, unknown>();
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      const known = methods.get(member);
      if (known !== undefined) return known;
      const call = (...args: unknown[]) => member.apply(target, args);
      const method = NOT_MEASURED.has(name)
        ? call
        : (...args: unknown[]) => observe(String(name), async () => call(...args));
      methods.set(member, method);
      return method;
    },
  });
}
