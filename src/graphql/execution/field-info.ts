import type { GraphQLResolveInfo, ResponsePath } from 'graphql';
import type { Execution } from './execute.ts';
import type { Place } from './place.ts';
import type { PlannedField } from './plan.ts';

/** What a resolver may ask about its call; found out when it does, as hardly any does. */
export class FieldInfo implements GraphQLResolveInfo {
  readonly field: PlannedField;
  readonly #execution: Execution;
  readonly #parent: Place;

  /** `parent` is the object that the field is of. */
  constructor(execution: Execution, field: PlannedField, parent: Place) {
    this.#execution = execution;
    this.field = field;
    this.#parent = parent;
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
    const { name, parentType } = this.field;
    return { prev: this.#parent.path, key: name, typename: parentType.name };
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
