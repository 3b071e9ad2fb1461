import type { GraphQLResolveInfo, ResponsePath } from 'graphql';
import type { OperationPlan, PlannedField, Variables } from './plan.ts';

/** The properties of a running operation that resolvers can read. */
export interface RunningOperation {
  readonly plan: OperationPlan;
  readonly variables: Variables;
  readonly rootValue: unknown;
}

/** The `info` of a resolver. Its properties are computed when they are read, because few resolvers read any. */
export class FieldInfo implements GraphQLResolveInfo {
  readonly field: PlannedField;
  readonly #execution: RunningOperation;
  readonly #pathOf: () => ResponsePath;

  /** `pathOf` returns the path of the field in the response. */
  constructor(execution: RunningOperation, field: PlannedField, pathOf: () => ResponsePath) {
    this.#execution = execution;
    this.field = field;
    this.#pathOf = pathOf;
  }

  get hasShortcuts() {
    return this.#execution.plan.shortcuts !== undefined;
  }

  get fieldName() {
    return this.field.definition.name;
  }

  get fieldNodes() {
    return this.field.nodes;
  }

  get returnType() {
    return this.field.definition.type;
  }

  get parentType() {
    return this.field.parentType;
  }

  get path(): ResponsePath {
    return this.#pathOf();
  }

  get schema() {
    return this.#execution.plan.schema;
  }

  get fragments() {
    return this.#execution.plan.fragments;
  }

  get rootValue() {
    return this.#execution.rootValue;
  }

  get operation() {
    return this.#execution.plan.operation;
  }

  get variableValues() {
    return this.#execution.variables as Record<string, unknown>;
  }
}

/** Returns the plan of the field that a resolver resolves; undefined if the operation runs without shortcuts. */
export function plannedField(info: GraphQLResolveInfo): PlannedField | undefined {
  return info instanceof FieldInfo && info.hasShortcuts ? info.field : undefined;
}
