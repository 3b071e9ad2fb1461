/**
 * The values of an enum, one for each string of a union; a name is its string in upper case. An enum that lacks a
 * value, or binds a name to another value, does not compile. The order of the domain's lists does not matter.
 */
export type EnumValues<Value extends string> = {
  readonly [Each in Value as Uppercase<Each>]: {
    readonly value: Each;
    readonly description: string;
  };
};
