/** The place of a value in a query that is built once and run with many values. It stands where the value would. */
export class Slot {
  /** Returns the value among the arguments of one run. */
  readonly read: (args: unknown) => unknown;

  constructor(read: (args: unknown) => unknown) {
    this.read = read;
  }
}

/** Creates the slot of a value. Its type is that of the value, so that it fits wherever the value does. */
export type ToSlot<Args> = <Value>(read: (args: Args) => Value) => Value;

/** Creates a slot. */
export function toSlot<Args, Value>(read: (args: Args) => Value): Value {
  return new Slot(read as (args: unknown) => unknown) as Value;
}

/** Applies `derive` to a value; for a slot, returns a slot of the derived value. */
export function derived<Value, Derived>(value: Value, derive: (value: Value) => Derived): Derived {
  if (!(value instanceof Slot)) return derive(value);
  return toSlot((args) => derive(value.read(args) as Value));
}
