/** The type of a field that a list can be searched by. `flag` is 0 or 1, `time` is in milliseconds since 1970. */
export interface FieldType {
  kind: 'uuid' | 'text' | 'integer' | 'real' | 'time' | 'flag';
  isNullable: boolean;
}

/** A value that a field is compared with. */
export type FieldValue = string | number | null;

/**
 * A condition on one field. `any`: the field has one of the values; `none`: it has none of them. As everywhere in SQL,
 * null matches only where it is listed. Tests of text ignore case, and compare a number or a time as it is written.
 */
export type Condition<Field extends string> = { field: Field } & (
  | { test: 'any' | 'none'; values: readonly FieldValue[] }
  | { test: '<' | '<=' | '>' | '>='; value: FieldValue }
  | { test: 'prefix' | 'suffix' | 'substring'; text: string }
  | { test: 'exists' | 'absent' }
);

/** One step of an order. Nulls come last, or first if the step is descending. */
export interface OrderStep<Field extends string> {
  field: Field;
  descending: boolean;
}

/** A part of a list, by its distance from the start. */
export interface Window {
  limit: number;
  offset: number;
}

/** A window of the rows that meet all conditions. Ties are broken by uuid, in the direction of the last step. */
export interface Search<Field extends string> extends Window {
  /** All must hold. */
  conditions: readonly Condition<Field>[];
  order: readonly OrderStep<Field>[];
}

/** The nodes that a search has found. */
export interface Part<Node> {
  nodes: Node[];
  /** Whether more follow. */
  hasMore: boolean;
  /** Number of nodes in all parts; null if it was not requested. */
  count: number | null;
}
