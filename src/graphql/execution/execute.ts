import {
  type DocumentNode,
  defaultFieldResolver,
  defaultTypeResolver,
  type ExecutionArgs,
  type ExecutionResult,
  execute as executeUnplanned,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  isObjectType,
  OperationTypeNode,
} from 'graphql';
import { FieldInfo } from './field-info.ts';
import { locate, Place, type Target } from './place.ts';
import {
  type OperationPlan,
  type Output,
  type PlannedField,
  planOperation,
  rootSelections,
  type Selections,
  type Variables,
} from './plan.ts';

/** Executes an operation that is valid. */
export type Execute = (args: ExecutionArgs) => ExecutionResult | Promise<ExecutionResult>;

/**
 * Makes what executes operations of one schema, with the answers and errors of graphql-js. What can be found out without
 * the request is found out once for each document, and what resolvers promise goes to its place in the answer without a
 * promise for each object above it: a page of a list takes half the processor time.
 */
export function createExecute(schema: GraphQLSchema): Execute {
  const plans = new WeakMap<DocumentNode, Map<string | null, OperationPlan>>();
  const planOf = (document: DocumentNode, operationName: string | null) => {
    const known = plans.get(document)?.get(operationName);
    if (known !== undefined) return known;
    const plan = planOperation(schema, document, operationName);
    if (plan === undefined) return undefined;
    if (!plans.has(document)) plans.set(document, new Map());
    plans.get(document)?.set(operationName, plan);
    return plan;
  };
  return (args) => {
    const plan = planOf(args.document, args.operationName ?? null);
    // It says what is wrong.
    if (plan === undefined) return executeUnplanned({ ...args, schema });
    const { variableDefinitions = [] } = plan.operation;
    const variables = getVariableValues(schema, variableDefinitions, args.variableValues ?? {}, {
      maxErrors: 50,
    });
    if (variables.errors) return { errors: variables.errors };
    return new Execution(plan, args, variables.coerced).run();
  };
}

const NO_ARGS = Object.freeze({});

/** The object of an answer: without a prototype, as a client may call a field `__proto__`. */
class Fields {
  [name: string]: unknown;
}
Object.setPrototypeOf(Fields.prototype, null);

/** One run of an operation. */
export class Execution {
  readonly plan: OperationPlan;
  readonly variables: Variables;
  readonly rootValue: unknown;
  readonly #context: unknown;
  readonly #errors: GraphQLError[] = [];
  /** Of fields whose arguments depend on variables. */
  readonly #args = new Map<PlannedField, Record<string, unknown>>();
  /** Promises that somebody still has to keep. */
  #pending = 0;
  #onSettled: () => void = () => undefined;

  constructor(
    plan: OperationPlan,
    { rootValue, contextValue }: ExecutionArgs,
    variables: Variables,
  ) {
    this.plan = plan;
    this.variables = variables;
    this.rootValue = rootValue;
    this.#context = contextValue;
  }

  async run(): Promise<ExecutionResult> {
    const result: Target = {};
    const root = new Place(undefined, undefined, result, 'data', false);
    const isSerial = this.plan.operation.operation === OperationTypeNode.MUTATION;
    const data = new Fields();
    result.data = data;
    for (const field of this.#rootFields(root)) {
      this.#executeField(field, this.rootValue, data, root);
      if (isSerial) await this.#settled();
      if (root.isNulled) break;
    }
    await this.#settled();
    const answer = result as { data: Record<string, unknown> | null };
    return this.#errors.length === 0 ? answer : { errors: this.#errors, ...answer };
  }

  #rootFields(root: Place): readonly PlannedField[] {
    try {
      return rootSelections(this.plan, this.variables).fieldsOf(this.plan.rootType);
    } catch (error) {
      this.#fail(error, root);
      return [];
    }
  }

  #executeField(field: PlannedField, source: unknown, target: Target, parent: Place): void {
    const info = new FieldInfo(this, field, parent);
    let value: unknown;
    try {
      const resolve = field.definition.resolve ?? defaultFieldResolver;
      value = resolve(source, this.#argsOf(field), this.#context, info);
    } catch (error) {
      this.#fail(error, new Place(parent, field, target, field.name, field.output.isNonNull));
      return;
    }
    this.#complete(info, field.output, value, target, field.name, parent);
  }

  #argsOf(field: PlannedField): Record<string, unknown> {
    const { definition, nodes, args } = field;
    if (definition.args.length === 0) return NO_ARGS;
    const known = args ?? this.#args.get(field);
    if (known !== undefined) return known;
    const values = getArgumentValues(definition, nodes[0], this.variables);
    if (this.plan.operation.variableDefinitions?.length) this.#args.set(field, values);
    else field.args = values;
    return values;
  }

  /** GraphQL §6.4.3, CompleteValue: puts the value where it belongs in the answer, now or when it is there. */
  #complete(
    info: FieldInfo,
    output: Output,
    value: unknown,
    target: Target,
    key: string | number,
    parent: Place,
  ): void {
    if (isPromise(value)) {
      // Its place among the other fields.
      target[key] = null;
      this.#whenKept(
        value,
        (kept) => this.#complete(info, output, kept, target, key, parent),
        (error) => this.#fail(error, new Place(parent, info.field, target, key, output.isNonNull)),
      );
      return;
    }
    try {
      if (value instanceof Error) throw value;
      if (value === null || value === undefined) {
        if (output.isNonNull) throw nullError(info.field);
        target[key] = null;
      } else if (output.kind === 'leaf') {
        target[key] = serialize(output.type, value);
      } else {
        const place = new Place(parent, info.field, target, key, output.isNonNull);
        if (output.kind === 'list') {
          this.#completeList(info, output.item, value, place);
        } else {
          const { kind, type, selections } = output;
          const objectType = kind === 'object' ? type : this.#typeOf(value, type, info);
          this.#completeObject(info, objectType, selections, value, place);
        }
      }
    } catch (error) {
      this.#fail(error, new Place(parent, info.field, target, key, output.isNonNull));
    }
  }

  #completeList(info: FieldInfo, item: Output, value: unknown, place: Place): void {
    if (!isIterable(value)) {
      throw new GraphQLError(`Expected a list for field "${nameOf(info.field)}".`);
    }
    const items: unknown[] = [];
    place.target[place.key] = items;
    let index = 0;
    for (const each of value) {
      this.#complete(info, item, each, items as unknown as Target, index++, place);
      if (place.isNulled) return;
    }
  }

  #completeObject(
    info: FieldInfo,
    type: GraphQLObjectType,
    selections: Selections,
    value: unknown,
    place: Place,
  ): void {
    if (type.isTypeOf && type.isTypeOf(value, this.#context, info) !== true) {
      throw new GraphQLError(`Expected value of type "${type.name}".`);
    }
    const fields = selections.fieldsOf(type);
    const object = new Fields();
    place.target[place.key] = object;
    for (const field of fields) {
      this.#executeField(field, value, object, place);
      if (place.isNulled) return;
    }
  }

  #typeOf(value: unknown, type: GraphQLAbstractType, info: FieldInfo): GraphQLObjectType {
    const resolveType = type.resolveType ?? defaultTypeResolver;
    const name = resolveType(value, this.#context, info, type);
    const { schema } = this.plan;
    const possible = typeof name === 'string' ? schema.getType(name) : undefined;
    if (isObjectType(possible) && schema.isSubType(type, possible)) return possible;
    throw new GraphQLError(`Field "${nameOf(info.field)}" has a value of no type of "${type}".`);
  }

  /** GraphQL §6.4.4: what failed is null, or else what holds it is, up to where there may be a null. */
  #fail(error: unknown, place: Place): void {
    if (place.isLost()) return;
    this.#errors.push(locate(error, place));
    place.setNull();
  }

  #whenKept(
    promise: PromiseLike<unknown>,
    onValue: (value: unknown) => void,
    onError: (error: unknown) => void,
  ): void {
    this.#pending++;
    promise.then(
      (value) => {
        onValue(value);
        this.#countDown();
      },
      (error: unknown) => {
        onError(error);
        this.#countDown();
      },
    );
  }

  #countDown(): void {
    this.#pending--;
    if (this.#pending === 0) this.#onSettled();
  }

  async #settled(): Promise<void> {
    if (this.#pending === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onSettled = resolve;
    await promise;
  }
}

function serialize(type: GraphQLLeafType, value: unknown): unknown {
  const serialized = type.serialize(value);
  if (serialized !== null && serialized !== undefined) return serialized;
  throw new Error(`A value of type "${type.name}" cannot be serialized.`);
}

function nullError(field: PlannedField): Error {
  return new Error(`Cannot return null for non-nullable field ${nameOf(field)}.`);
}

function nameOf({ parentType, definition }: PlannedField): string {
  return `${parentType.name}.${definition.name}`;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
