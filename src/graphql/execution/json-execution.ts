import {
  defaultFieldResolver,
  defaultTypeResolver,
  type ExecutionArgs,
  type GraphQLError,
  type GraphQLFieldResolver,
  OperationTypeNode,
  type ResponsePath,
} from 'graphql';
import { ArgumentValues } from './argument.ts';
import { Batches } from './batch.ts';
import { FieldInfo, type RunningOperation } from './field-info.ts';
import { Completion } from './json-completion.ts';
import { objectTexts } from './json-text.ts';
import { attemptEach, Failure, type Level, Lost, type Soon, type Texts } from './level.ts';
import { fieldPath, locate, pathOfField } from './place.ts';
import { type OperationPlan, type PlannedField, rootSelections, type Variables } from './plan.ts';

/** The result of an operation, with its data as JSON. */
export interface JsonResult {
  data: string;
  errors?: readonly GraphQLError[];
}

/**
 * One run of an operation that writes its data as JSON. It resolves a field for all objects of a level of the response,
 * then the next field, and creates none of the objects of the response.
 */
export class JsonExecution implements RunningOperation {
  readonly plan: OperationPlan;
  readonly variables: Variables;
  readonly rootValue: unknown;
  readonly #context: unknown;
  readonly #resolveField: GraphQLFieldResolver<unknown, unknown>;
  readonly #arguments: ArgumentValues;
  readonly #batches: Batches;
  readonly #completion: Completion;

  constructor(plan: OperationPlan, args: ExecutionArgs, variables: Variables) {
    this.plan = plan;
    this.variables = variables;
    this.rootValue = args.rootValue;
    this.#context = args.contextValue;
    this.#resolveField = args.fieldResolver ?? defaultFieldResolver;
    this.#arguments = new ArgumentValues(variables);
    this.#batches = new Batches(this.#arguments, args.contextValue);
    this.#completion = new Completion({
      context: args.contextValue,
      resolveType: args.typeResolver ?? defaultTypeResolver,
      // Only the root has no path.
      infoOf: (field, level, index) =>
        new FieldInfo(this, field, () => fieldPath(level.pathOf(index) as ResponsePath)),
      objectsOf: (selections, type, objects) => this.#atOnce(selections.fieldsOf(type), objects),
    });
  }

  /** Runs the operation. */
  async run(): Promise<JsonResult> {
    const text = await this.#rootText();
    const data = text instanceof Lost ? this.#completion.toNull(text) : text;
    const { errors } = this.#completion;
    return errors.length === 0 ? { data } : { errors, data };
  }

  async #rootText(): Promise<string | Lost> {
    const root = { values: [this.rootValue], pathOf: () => undefined, isSettled: true };
    let fields: readonly PlannedField[];
    try {
      fields = rootSelections(this.plan, this.variables).fieldsOf(this.plan.rootType);
    } catch (error) {
      return new Lost(locate(error, undefined, undefined));
    }
    const isSerial = this.plan.operation.operation === OperationTypeNode.MUTATION;
    const [text = 'null'] = await (isSerial
      ? this.#inTurn(fields, root)
      : this.#atOnce(fields, root));
    return text;
  }

  /** GraphQL §6.2.2: starts a field of a mutation when everything below the field before it has finished. */
  async #inTurn(fields: readonly PlannedField[], root: Level): Promise<Texts> {
    const columns: Texts[] = [];
    for (const field of fields) {
      const column = await this.#column(field, root);
      if (column[0] instanceof Lost) return column;
      columns.push(column);
    }
    return objectTexts(fields, columns, 1);
  }

  /** Returns objects of one type as JSON. */
  #atOnce(fields: readonly PlannedField[], objects: Level): Soon<Texts> {
    const { length } = objects.values;
    const columns = fields.map((field) => this.#column(field, objects));
    return columns.some((column) => column instanceof Promise)
      ? Promise.all(columns).then((settled) => objectTexts(fields, settled, length))
      : objectTexts(fields, columns as Texts[], length);
  }

  /** Returns the values of a field of each object, as JSON. */
  #column(field: PlannedField, objects: Level): Soon<Texts> {
    const { batch, property, output } = field;
    const pathOf = (index: number) => pathOfField(field, objects.pathOf(index));
    if (batch !== undefined) {
      const complete = (values: readonly unknown[]) =>
        this.#completion.complete(field, output, { values, pathOf, isSettled: true });
      return this.#batches.load(field, batch, objects.values).then(complete, (error) => {
        return complete(objects.values.map(() => new Failure(error)));
      });
    }
    if (property !== undefined && output.kind === 'leaf') {
      return this.#completion.completeProperty(field, property, output, objects, pathOf);
    }
    const values = attemptEach(objects.values, (object, index) =>
      property === undefined
        ? this.#resolve(field, object, new FieldInfo(this, field, () => pathOf(index)))
        : (object as Record<string, unknown>)[property],
    );
    const isSettled = property !== undefined;
    return this.#completion.complete(field, output, { values, pathOf, isSettled });
  }

  #resolve(field: PlannedField, object: unknown, info: FieldInfo): unknown {
    const resolve = field.definition.resolve ?? this.#resolveField;
    return resolve(object, this.#arguments.of(field), this.#context, info);
  }
}
