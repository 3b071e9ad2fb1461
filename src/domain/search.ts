import type * as store from '../store/search.ts';

/** A part of a list, by its distance from the start. */
export interface Part<Node> {
  nodes: Node[];
  /** Whether more follow. */
  hasMore: boolean;
}

/** What a field of a list holds: `flag` is 0 or 1, `time` milliseconds since 1970. */
export type FieldType = store.FieldType;

/** A value that a field is compared with. */
export type FieldValue = store.FieldValue;

/** What must hold of one field: see the store. */
export type Condition<Field extends string> = store.Condition<Field>;

/** One step of an order: nulls come last, or first when it is turned around. */
export type OrderStep<Field extends string> = store.OrderStep<Field>;

/** What of a list is wanted: the last step of the order must tell all rows apart. */
export type Search<Field extends string> = store.Search<Field>;
