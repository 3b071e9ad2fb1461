/**
 * The values of an enum whose names are the strings of a union in upper case. An enum that lacks a value, or binds a
 * name to another value, does not compile: so the order of the domain's lists cannot matter.
 */
export type EnumValues<Value extends string> = {
  readonly [Each in Value as Uppercase<Each>]: {
    readonly value: Each;
    readonly description: string;
  };
};
