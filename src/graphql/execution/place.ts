import { GraphQLError, locatedError, type ResponsePath } from 'graphql';
import type { PlannedField } from './plan.ts';

/** An object or a list of the response while it is being filled. */
export type Target = Record<string | number, unknown>;

/** The place of a value in the response: a key of an object or a list. The outermost place is that of `data`. */
export class Place {
  readonly parent: Place | undefined;
  /** The field whose value, or an item of whose value, is at this place; undefined for `data`. */
  readonly field: PlannedField | undefined;
  readonly target: Target;
  readonly key: string | number;
  readonly isNonNull: boolean;
  /** Whether the value is null for good, because of an error. Later values and errors are dropped. */
  isNulled = false;

  constructor(
    parent: Place | undefined,
    field: PlannedField | undefined,
    target: Target,
    key: string | number,
    isNonNull: boolean,
  ) {
    this.parent = parent;
    this.field = field;
    this.target = target;
    this.key = key;
    this.isNonNull = isNonNull;
  }

  /** Returns whether an error has made this place, or one that contains it, null. */
  isLost(): boolean {
    return this.isNulled || (this.parent?.isLost() ?? false);
  }

  /** Sets this place to null if it is nullable, or else the innermost nullable place that contains it. */
  setNull(): void {
    this.isNulled = true;
    if (this.isNonNull) this.parent?.setNull();
    else this.target[this.key] = null;
  }

  /** The path as in `info.path`; undefined for `data`. */
  get path(): ResponsePath | undefined {
    if (this.field === undefined) return undefined;
    const typename = typeof this.key === 'string' ? this.field.parentType.name : undefined;
    return { prev: this.parent?.path, key: this.key, typename };
  }
}

/** Returns the path of a field of an object, given the path of the object. */
export function pathOfField(
  { name, parentType }: PlannedField,
  prev: ResponsePath | undefined,
): ResponsePath {
  return { prev, key: name, typename: parentType.name };
}

/** Returns the path of the field that a value, which may be an item of a list, belongs to. */
export function fieldPath(path: ResponsePath): ResponsePath {
  return typeof path.key === 'number' && path.prev ? fieldPath(path.prev) : path;
}

/**
 * Returns the error with its locations in the document and its path in the response. An error of the whole operation
 * has no field and no path.
 */
export function locate(
  error: unknown,
  field: PlannedField | undefined,
  path: ResponsePath | undefined,
): GraphQLError {
  if (field === undefined && error instanceof GraphQLError) return error;
  const keys: (string | number)[] = [];
  for (let at = path; at; at = at.prev) keys.unshift(at.key);
  return locatedError(error, field?.nodes, keys);
}
