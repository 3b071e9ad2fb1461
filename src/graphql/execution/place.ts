import { type GraphQLError, locatedError, type ResponsePath } from 'graphql';
import type { PlannedField } from './plan.ts';

/** An object or a list of the answer, as it is filled. */
export type Target = Record<string | number, unknown>;

/** Where in the answer a value goes: under a key of what its parent holds. The outermost is `data`. */
export class Place {
  readonly parent: Place | undefined;
  /** The field that it is the value of, or an item of; undefined for `data`. */
  readonly field: PlannedField | undefined;
  readonly target: Target;
  readonly key: string | number;
  readonly isNonNull: boolean;
  /** It holds a null for good: nothing that comes later matters. */
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

  /** Whether it is in something that has become null. */
  isLost(): boolean {
    return this.isNulled || (this.parent?.isLost() ?? false);
  }

  /** Makes it null, or the innermost that holds it and may be. */
  setNull(): void {
    this.isNulled = true;
    if (this.isNonNull) this.parent?.setNull();
    else this.target[this.key] = null;
  }

  /** As resolvers are told; undefined for `data`. */
  get path(): ResponsePath | undefined {
    if (this.field === undefined) return undefined;
    const typename = typeof this.key === 'string' ? this.field.parentType.name : undefined;
    return { prev: this.parent?.path, key: this.key, typename };
  }
}

/** The error with its place in document and answer. */
export function locate(error: unknown, place: Place): GraphQLError {
  const keys: (string | number)[] = [];
  for (let at: ResponsePath | undefined = place.path; at; at = at.prev) keys.unshift(at.key);
  return locatedError(error, place.field?.nodes, keys);
}
