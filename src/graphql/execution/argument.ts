import { getArgumentValues, Kind } from 'graphql';
import type { Arguments, KeptArguments, PlannedField, Variables } from './plan.ts';

/** The arguments of the fields of one run of an operation. */
export class ArgumentValues {
  readonly #variables: Variables;
  /** Kept arguments of the fields whose arguments depend on variables. */
  readonly #kept = new Map<PlannedField, KeptArguments>();

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  /** Returns a new object for each call, as graphql-js does, because a resolver may change it. */
  of(field: PlannedField): Arguments {
    if (field.definition.args.length === 0) return {};
    const known = field.arguments ?? this.#kept.get(field);
    if (known !== undefined) return copyArguments(known);
    const { args, kept } = coerceArguments(field, this.#variables);
    if (kept !== null) {
      if (field.readsVariables) this.#kept.set(field, kept);
      else field.arguments = kept;
    }
    return args;
  }
}

/**
 * Coerces the arguments of a field. Throws the GraphQLError of graphql-js for a value that does not fit. `kept` is null
 * if a literal holds a value that only its scalar can create, such as a Date: then every call has to coerce again.
 */
function coerceArguments(
  { definition, nodes: [node] }: PlannedField,
  variables: Variables,
): { args: Arguments; kept: KeptArguments | null } {
  const args = getArgumentValues(definition, node, variables);
  const containers: string[] = [];
  for (const { name, value } of node.arguments ?? []) {
    // graphql-js, too, gives the value of a variable to all fields that use it.
    if (value.kind === Kind.VARIABLE || !isObject(args[name.value])) continue;
    if (!isCopyable(args[name.value])) return { args, kept: null };
    containers.push(name.value);
  }
  const kept = { values: args, containers };
  return { args: copyArguments(kept), kept };
}

/** Returns arguments that a resolver may change without an effect on any other call. */
function copyArguments({ values, containers }: KeptArguments): Arguments {
  const args = { ...values };
  for (const name of containers) args[name] = copy(args[name]);
  return args;
}

/** Returns whether a value consists of lists and objects without a prototype, which coercion builds from a literal. */
function isCopyable(value: unknown): boolean {
  if (!isObject(value)) return true;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== null) return false;
  return Object.values(value).every(isCopyable);
}

function copy(value: unknown): unknown {
  if (!isObject(value)) return value;
  if (Array.isArray(value)) return value.map(copy);
  const copied = Object.create(null) as Record<string, unknown>;
  for (const key in value) copied[key] = copy(value[key]);
  return copied;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' ? value !== null : typeof value === 'function';
}
