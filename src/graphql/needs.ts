import {
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  isAbstractType,
  TypeNameMetaFieldDef,
} from 'graphql';
import { plannedField } from './execution/field-info.ts';
import type { Output, PlannedField, Selections } from './execution/plan.ts';

/**
 * Returns options for a field that name the properties of its object that its resolver reads. An exposed property needs
 * no declaration. A field that declares nothing may read them all.
 */
export function withNeeds<Name extends string>(...needs: readonly Name[]) {
  return { extensions: { needs } };
}

/** Names of properties of the objects of a field, of whatever type. Undefined: all. */
export type Properties = readonly never[] | undefined;

/**
 * Returns the properties of the objects of a field that the operation reads: of the object itself, of the items of a
 * list, or of the nodes of a connection. Undefined: all.
 */
export function onlyOf(field: PlannedField): Properties {
  if (!known.has(field)) {
    const names = new Set<string>();
    const isKnown = addOutput(field.output, names);
    known.set(field, isKnown ? [...names] : undefined);
  }
  return known.get(field) as Properties;
}

/** Returns `onlyOf` the field that a resolver resolves; undefined if the fast path is off. */
export function onlyIn(info: GraphQLResolveInfo): Properties {
  const field = plannedField(info);
  return field && onlyOf(field);
}

/** Tells whether the operation asks if a connection has more pages. */
export function looksAhead({ output }: PlannedField): boolean {
  if (output.kind !== 'object') return true;
  const fields = output.selections.fieldsOf(output.type);
  return fields.some(({ definition }) => definition.name === 'pageInfo');
}

const known = new WeakMap<PlannedField, readonly string[] | undefined>();

/** Adds the properties that an output type's fields read. Returns false if they are not known. */
function addOutput(output: Output, names: Set<string>): boolean {
  if (output.kind === 'leaf') return false;
  if (output.kind === 'list') return addOutput(output.item, names);
  const { type, selections } = output;
  if (!isAbstractType(type)) return addSelections(type, selections, names);
  return selections.possibleTypes(type).every((one) => addSelections(one, selections, names));
}

function addSelections(type: GraphQLObjectType, selections: Selections, names: Set<string>) {
  const isConnection = type.name.endsWith('Connection');
  const isEdge = type.name.endsWith('Edge');
  return selections.fieldsOf(type).every((field) => {
    const { name } = field.definition;
    if (isConnection) {
      return name === 'nodes' || name === 'edges' ? addOutput(field.output, names) : true;
    }
    if (isEdge) return name === 'node' ? addOutput(field.output, names) : true;
    const needs = needsOf(field.definition);
    for (const need of needs ?? []) names.add(need);
    return needs !== undefined;
  });
}

function needsOf(field: GraphQLField<unknown, unknown>): readonly string[] | undefined {
  if (field === TypeNameMetaFieldDef) return [];
  const { needs } = field.extensions as { needs?: readonly string[] };
  if (needs !== undefined) return needs;
  const exposed = exposedProperty(field);
  return exposed === undefined ? undefined : [exposed];
}

/** Returns the property that a field exposes; undefined if the field is computed. */
export function exposedProperty({
  extensions,
}: GraphQLField<unknown, unknown>): string | undefined {
  const { pothosExposedField, pothosResolveWrapped } = extensions as {
    pothosExposedField?: string;
    pothosResolveWrapped?: boolean;
  };
  return pothosResolveWrapped === false ? pothosExposedField : undefined;
}
