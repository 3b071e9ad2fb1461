import { GraphQLError, type GraphQLLeafType } from 'graphql';

/** Returns whether a value that a resolver has returned is a promise. Throws the error of a getter of `then`. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  const isObject = typeof value === 'object' ? value !== null : typeof value === 'function';
  return isObject && typeof (value as { then?: unknown }).then === 'function';
}

/** Returns the items of a list: of any iterable but a string. Throws a GraphQLError for a value that is none. */
export function toItems(value: unknown, fieldName: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (isIterable(value)) return [...value];
  throw new GraphQLError(`Expected Iterable, but did not find one for field "${fieldName}".`);
}

function isIterable(value: unknown): value is Iterable<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return typeof (value as { [Symbol.iterator]?: unknown })[Symbol.iterator] === 'function';
}

/** Returns a scalar or an enum value as it is in the response. Throws if the value is not one of the type. */
export function serialize(type: GraphQLLeafType, value: unknown): unknown {
  const serialized: unknown = type.serialize(value);
  if (serialized !== null && serialized !== undefined) return serialized;
  throw new Error(
    `Expected \`${type}.serialize()\` to return non-nullable value, returned: ${serialized}`,
  );
}

/** An object of a response. It has no prototype, because a client may use `__proto__` as an alias. */
export class Fields {
  [name: string]: unknown;
}
Object.setPrototypeOf(Fields.prototype, null);
