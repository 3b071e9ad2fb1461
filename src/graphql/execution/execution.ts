import {
  defaultFieldResolver,
  defaultTypeResolver,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLTypeResolver,
  OperationTypeNode,
} from 'graphql';
import { ArgumentValues } from './argument.ts';
import { FieldInfo, type RunningOperation } from './field-info.ts';
import { Pending } from './pending.ts';
import { locate, Place, pathOfField, type Target } from './place.ts';
import {
  nameOf,
  nullMessage,
  type OperationPlan,
  type Output,
  type PlannedField,
  rootSelections,
  type Selections,
  type Variables,
} from './plan.ts';
import { checkType, runtimeType } from './runtime-type.ts';
import { Fields, isPromise, serialize, toItems } from './value.ts';

/** One run of an operation. */
export class Execution implements RunningOperation {
  readonly plan: OperationPlan;
  readonly variables: Variables;
  readonly rootValue: unknown;
  readonly #context: unknown;
  readonly #resolveField: GraphQLFieldResolver<unknown, unknown>;
  readonly #resolveType: GraphQLTypeResolver<unknown, unknown>;
  readonly #errors: GraphQLError[] = [];
  readonly #arguments: ArgumentValues;
  readonly #pending = new Pending();

  constructor(plan: OperationPlan, args: ExecutionArgs, variables: Variables) {
    this.plan = plan;
    this.variables = variables;
    this.#arguments = new ArgumentValues(variables);
    this.rootValue = args.rootValue;
    this.#context = args.contextValue;
    this.#resolveField = args.fieldResolver ?? defaultFieldResolver;
    this.#resolveType = args.typeResolver ?? defaultTypeResolver;
  }

  /** Runs the operation. Returns a promise only if the result depends on one. */
  run(): ExecutionResult | Promise<ExecutionResult> {
    const result: Target = {};
    const root = new Place(undefined, undefined, result, 'data', false);
    const data = new Fields();
    result.data = data;
    const fields = this.#rootFields(root);
    let finished: Promise<void> | undefined;
    if (this.plan.operation.operation === OperationTypeNode.MUTATION) {
      finished = this.#executeSerially(fields, data, root);
    } else {
      this.#executeFields(fields, this.rootValue, data, root);
      if (!this.#pending.isNone) finished = this.#pending.allSettled();
    }
    return finished === undefined
      ? this.#answer(result)
      : finished.then(() => this.#answer(result));
  }

  #answer(result: Target): ExecutionResult {
    const { data } = result as { data: Record<string, unknown> | null };
    return this.#errors.length === 0 ? { data } : { errors: this.#errors, data };
  }

  #rootFields(root: Place): readonly PlannedField[] {
    try {
      return rootSelections(this.plan, this.variables).fieldsOf(this.plan.rootType);
    } catch (error) {
      this.#fail(error, root);
      return [];
    }
  }

  /** GraphQL §6.2.2: starts a field of a mutation when everything below the field before it has finished. */
  #executeSerially(
    fields: readonly PlannedField[],
    data: Fields,
    root: Place,
  ): Promise<void> | undefined {
    for (const [index, field] of fields.entries()) {
      if (root.isNulled) return undefined;
      this.#executeField(field, this.rootValue, data, root);
      if (this.#pending.isNone) continue;
      const rest = fields.slice(index + 1);
      return this.#pending.allSettled().then(() => this.#executeSerially(rest, data, root));
    }
    return undefined;
  }

  #executeFields(
    fields: readonly PlannedField[],
    source: unknown,
    target: Fields,
    parent: Place,
  ): void {
    for (const field of fields) {
      this.#executeField(field, source, target, parent);
      if (parent.isNulled) return;
    }
  }

  #executeField(field: PlannedField, source: unknown, target: Target, parent: Place): void {
    const info = new FieldInfo(this, field, () => pathOfField(field, parent.path));
    let value: unknown;
    try {
      const resolve = field.definition.resolve ?? this.#resolveField;
      value = resolve(source, this.#arguments.of(field), this.#context, info);
    } catch (error) {
      this.#fail(error, new Place(parent, field, target, field.name, field.output.isNonNull));
      return;
    }
    this.#complete(info, field.output, value, target, field.name, parent);
  }

  /** GraphQL §6.4.3, CompleteValue: writes the value to its place in the response, now or when its promise settles. */
  #complete(
    info: FieldInfo,
    output: Output,
    value: unknown,
    target: Target,
    key: string | number,
    parent: Place,
  ): void {
    let place: Place | undefined;
    try {
      if (isPromise(value)) {
        this.#completeLater(info, output, value, target, key, parent);
      } else if (value instanceof Error) {
        throw value;
      } else if (value === null || value === undefined) {
        if (output.isNonNull) throw new Error(nullMessage(info.field));
        target[key] = null;
      } else if (output.kind === 'leaf') {
        target[key] = serialize(output.type, value);
      } else {
        place = new Place(parent, info.field, target, key, output.isNonNull);
        if (output.kind === 'list') this.#completeList(info, output.item, value, place);
        else if (output.kind === 'abstract') this.#completeAbstract(info, output, value, place);
        else this.#completeObject(info, output.type, output.selections, value, place);
      }
    } catch (error) {
      place ??= new Place(parent, info.field, target, key, output.isNonNull);
      this.#fail(error, place);
    }
  }

  // A method of its own: closures in `#complete` would make each of its calls allocate a context.
  #completeLater(
    info: FieldInfo,
    output: Output,
    promise: PromiseLike<unknown>,
    target: Target,
    key: string | number,
    parent: Place,
  ): void {
    // Reserves its position among the other fields.
    target[key] = null;
    this.#pending.add(
      promise,
      (value) => this.#complete(info, output, value, target, key, parent),
      (error) => this.#fail(error, new Place(parent, info.field, target, key, output.isNonNull)),
    );
  }

  #completeList(info: FieldInfo, item: Output, value: unknown, place: Place): void {
    const items: unknown[] = [];
    place.target[place.key] = items;
    for (const [index, each] of toItems(value, nameOf(info.field)).entries()) {
      this.#complete(info, item, each, items as unknown as Target, index, place);
      if (place.isNulled) return;
    }
  }

  #completeAbstract(
    info: FieldInfo,
    output: Output & { kind: 'abstract' },
    value: unknown,
    place: Place,
  ): void {
    const resolveType = output.type.resolveType ?? this.#resolveType;
    const name: unknown = resolveType(value, this.#context, info, output.type);
    if (isPromise(name)) {
      this.#whenKnown(name, place, (known) => this.#completeAs(known, info, output, value, place));
    } else {
      this.#completeAs(name, info, output, value, place);
    }
  }

  #completeAs(
    name: unknown,
    info: FieldInfo,
    { type, selections }: Output & { kind: 'abstract' },
    value: unknown,
    place: Place,
  ): void {
    const objectType = runtimeType(name, type, info.field, this.plan.schema);
    this.#completeObject(info, objectType, selections, value, place);
  }

  #completeObject(
    info: FieldInfo,
    type: GraphQLObjectType,
    selections: Selections,
    value: unknown,
    place: Place,
  ): void {
    const fields = selections.fieldsOf(type);
    if (!type.isTypeOf) {
      this.#executeObject(fields, value, place);
      return;
    }
    const isOfType: unknown = type.isTypeOf(value, this.#context, info);
    if (isPromise(isOfType)) {
      this.#completeChecked(isOfType, type, fields, value, place);
    } else {
      checkType(isOfType, type);
      this.#executeObject(fields, value, place);
    }
  }

  #completeChecked(
    isOfType: PromiseLike<unknown>,
    type: GraphQLObjectType,
    fields: readonly PlannedField[],
    value: unknown,
    place: Place,
  ): void {
    this.#whenKnown(isOfType, place, (known) => {
      checkType(known, type);
      this.#executeObject(fields, value, place);
    });
  }

  #executeObject(fields: readonly PlannedField[], value: unknown, place: Place): void {
    const object = new Fields();
    place.target[place.key] = object;
    this.#executeFields(fields, value, object, place);
  }

  /** GraphQL §6.4.4: sets a failed value to null, or the innermost nullable place that contains it. */
  #fail(error: unknown, place: Place): void {
    if (place.isLost()) return;
    this.#errors.push(locate(error, place.field, place.path));
    place.setNull();
  }

  /** Waits for what a type resolver has promised; `place` fails if the promise or `onKnown` does. */
  #whenKnown(promise: PromiseLike<unknown>, place: Place, onKnown: (value: unknown) => void): void {
    // Reserves its position among the other fields.
    place.target[place.key] = null;
    const fail = (error: unknown) => this.#fail(error, place);
    const complete = (value: unknown) => {
      try {
        onKnown(value);
      } catch (error) {
        fail(error);
      }
    };
    this.#pending.add(promise, complete, fail);
  }
}
