import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLAbstractType,
  type GraphQLField,
  GraphQLIncludeDirective,
  type GraphQLLeafType,
  type GraphQLList,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getDirectiveValues,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionNode,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  typeFromAST,
} from 'graphql';
import { conditionsOf, hasVariable } from './variable.ts';

/** Coerced values of the variables of an operation, by name. */
export type Variables = Readonly<Record<string, unknown>>;
/** Fragments of a document, by name. */
export type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

/** The parts of an operation that are the same for all requests. Created once, and kept as long as its document. */
export interface OperationPlan {
  schema: GraphQLSchema;
  operation: OperationDefinitionNode;
  fragments: Fragments;
  rootType: GraphQLObjectType;
  /** Undefined: every field is resolved by its resolver. */
  shortcuts: Shortcuts | undefined;
  /** Names of the variables in `@skip` and `@include`, whose values decide which fields are selected. */
  conditions: readonly string[];
  /** Selections of the root type, by the values of the variables in `conditions`. */
  variants: Map<string, Selections>;
}

/** The arguments of a field as its resolver receives them, by name. */
export type Arguments = Record<string, unknown>;

/** Coerced arguments from which each call gets an object of its own. */
export interface KeptArguments {
  values: Arguments;
  /** Names of the literal arguments that hold a list or an object: each call gets a deep copy. */
  containers: readonly string[];
}

/** The nodes of a field of the response: more than one if the document selects it in several places. */
type FieldNodes = [FieldNode, ...FieldNode[]];

/** A selected field of one object type, with everything that does not depend on the object. */
export interface PlannedField {
  /** Key in the response. */
  name: string;
  nodes: FieldNodes;
  parentType: GraphQLObjectType;
  definition: GraphQLField<unknown, unknown>;
  output: Output;
  /** The function that resolves the field for many objects. */
  batch: Batch | undefined;
  /** The property of the object that is the value of the field. */
  property: string | undefined;
  /** Whether an argument contains a variable. */
  readsVariables: boolean;
  /** The coerced arguments, kept after the first call if they contain no variable. */
  arguments: KeptArguments | undefined;
}

/** The objects for which one field is resolved. */
export interface BatchRequest {
  field: PlannedField;
  sources: readonly unknown[];
  args: Arguments;
}

/**
 * Resolves fields for many objects at once. Returns the values for each request in the order of its sources: for each
 * source, what the field's resolver would return, without promises, or the Error that it would throw.
 */
export type Batch = (
  requests: readonly BatchRequest[],
  context: unknown,
) => Promise<readonly (readonly unknown[])[]>;

/** Faster ways to resolve fields, with the same values as their resolvers. Undefined: the resolver is used. */
export interface Shortcuts {
  /** Returns the function that resolves the field for many objects. */
  batchOf: (field: GraphQLField<unknown, unknown>) => Batch | undefined;
  /** Returns the property of the object that is the value of the field, and never a promise. */
  propertyOf: (field: GraphQLField<unknown, unknown>) => string | undefined;
}

/** The type of a field, or of the items of a list, with the selections of its objects. */
export type Output = { isNonNull: boolean } & (
  | { kind: 'leaf'; type: GraphQLLeafType }
  | { kind: 'list'; type: GraphQLList<GraphQLOutputType>; item: Output }
  | { kind: 'object'; type: GraphQLObjectType; selections: Selections }
  | { kind: 'abstract'; type: GraphQLAbstractType; selections: Selections }
);

/** Maximum number of plans kept per operation: one for each combination of the values in `@skip` and `@include`. */
const VARIANTS_MAX = 4;

/**
 * Plans an operation. Returns undefined if the document has no operation of that name, or several and no name is given,
 * or if the schema has no root type for it.
 */
export function planOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null,
  shortcuts?: Shortcuts,
): OperationPlan | undefined {
  const fragments: Record<string, FragmentDefinitionNode> = Object.create(null);
  let operation: OperationDefinitionNode | undefined;
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments[definition.name.value] = definition;
    } else if (definition.kind === Kind.OPERATION_DEFINITION) {
      if (operationName !== null && definition.name?.value !== operationName) continue;
      // Without a name, the document must contain a single operation.
      if (operation !== undefined) return undefined;
      operation = definition;
    }
  }
  const rootType = operation && schema.getRootType(operation.operation);
  if (operation === undefined || !rootType) return undefined;
  const conditions = conditionsOf(document);
  const variants = new Map<string, Selections>();
  return { schema, operation, fragments, rootType, shortcuts, conditions, variants };
}

/** Returns the selections of the root type for these values of the variables. */
export function rootSelections(plan: OperationPlan, variables: Variables): Selections {
  const key = plan.conditions.map((name) => String(variables[name])).join();
  const known = plan.variants.get(key);
  if (known !== undefined) return known;
  const selections = new Selections(plan, variables, [plan.operation.selectionSet]);
  if (plan.variants.size >= VARIANTS_MAX) plan.variants.clear();
  plan.variants.set(key, selections);
  return selections;
}

/** Returns the name of a field in the schema: `Media.title`. */
export function nameOf({ parentType, definition }: PlannedField): string {
  return `${parentType.name}.${definition.name}`;
}

/** Returns the message for a null in a non-nullable field. */
export function nullMessage(field: PlannedField): string {
  return `Cannot return null for non-nullable field ${nameOf(field)}.`;
}

/** Merged selection sets, and the fields that they select of each object type. */
export class Selections {
  #plan: OperationPlan;
  #variables: Variables;
  #sets: readonly SelectionSetNode[];
  #fields = new Map<GraphQLObjectType, PlannedField[]>();

  constructor(plan: OperationPlan, variables: Variables, sets: readonly SelectionSetNode[]) {
    this.#plan = plan;
    // Only variables in directives matter here, and their values are the same in all requests with this plan.
    const given = plan.conditions.filter((name) => Object.hasOwn(variables, name));
    this.#variables = Object.fromEntries(given.map((name) => [name, variables[name]]));
    this.#sets = sets;
  }

  /** Returns the selected fields of an object type, in the order of the response. */
  fieldsOf(type: GraphQLObjectType): readonly PlannedField[] {
    const known = this.#fields.get(type);
    if (known !== undefined) return known;
    const nodes = new Map<string, FieldNodes>();
    const spread = new Set<string>();
    for (const set of this.#sets) this.#collect(set, type, nodes, spread);
    const fields = [...nodes].flatMap(([name, nodes]) => this.#planField(name, nodes, type) ?? []);
    this.#fields.set(type, fields);
    return fields;
  }

  /** Returns the object types that an abstract type can be. */
  possibleTypes(type: GraphQLAbstractType): readonly GraphQLObjectType[] {
    return this.#plan.schema.getPossibleTypes(type);
  }

  /** Collects the fields of a selection set: GraphQL §6.3.2, CollectFields. */
  #collect(
    { selections }: SelectionSetNode,
    type: GraphQLObjectType,
    nodes: Map<string, FieldNodes>,
    spread: Set<string>,
  ): void {
    for (const selection of selections) {
      if (!this.#isIncluded(selection)) continue;
      if (selection.kind === Kind.FIELD) {
        const name = (selection.alias ?? selection.name).value;
        const known = nodes.get(name);
        if (known === undefined) nodes.set(name, [selection]);
        else known.push(selection);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        if (this.#isOf(type, selection)) this.#collect(selection.selectionSet, type, nodes, spread);
      } else if (!spread.has(selection.name.value)) {
        spread.add(selection.name.value);
        const fragment = this.#plan.fragments[selection.name.value];
        if (fragment && this.#isOf(type, fragment)) {
          this.#collect(fragment.selectionSet, type, nodes, spread);
        }
      }
    }
  }

  #isIncluded(node: SelectionNode): boolean {
    if (!node.directives?.length) return true;
    const skip = getDirectiveValues(GraphQLSkipDirective, node, this.#variables);
    if (skip?.if === true) return false;
    return getDirectiveValues(GraphQLIncludeDirective, node, this.#variables)?.if !== false;
  }

  #isOf(
    type: GraphQLObjectType,
    {
      typeCondition,
    }: Pick<FragmentDefinitionNode, 'typeCondition'> | { typeCondition?: undefined },
  ): boolean {
    if (typeCondition === undefined) return true;
    const named = typeFromAST(this.#plan.schema, typeCondition);
    if (named === type) return true;
    return isAbstractType(named) && this.#plan.schema.isSubType(named, type);
  }

  #planField(
    name: string,
    nodes: FieldNodes,
    parentType: GraphQLObjectType,
  ): PlannedField | undefined {
    const definition = this.#definitionOf(parentType, nodes[0].name.value);
    if (definition === undefined) return undefined;
    const output = this.#toOutput(definition.type, nodes);
    const readsVariables = nodes[0].arguments?.some(({ value }) => hasVariable(value)) ?? false;
    const { batchOf, propertyOf } = this.#plan.shortcuts ?? {};
    return {
      name,
      nodes,
      parentType,
      definition,
      output,
      batch: batchOf?.(definition),
      property: propertyOf?.(definition),
      readsVariables,
      arguments: undefined,
    };
  }

  #definitionOf(type: GraphQLObjectType, name: string): GraphQLField<unknown, unknown> | undefined {
    if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
    if (type === this.#plan.schema.getQueryType()) {
      if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
      if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
    }
    return type.getFields()[name];
  }

  #toOutput(outerType: GraphQLOutputType, nodes: FieldNodes): Output {
    const isNonNull = isNonNullType(outerType);
    const type = isNonNull ? outerType.ofType : outerType;
    if (isListType(type)) {
      return { kind: 'list', isNonNull, type, item: this.#toOutput(type.ofType, nodes) };
    }
    if (isLeafType(type)) return { kind: 'leaf', isNonNull, type };
    const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    const selections = new Selections(this.#plan, this.#variables, sets);
    return isObjectType(type)
      ? { kind: 'object', isNonNull, type, selections }
      : { kind: 'abstract', isNonNull, type, selections };
  }
}
