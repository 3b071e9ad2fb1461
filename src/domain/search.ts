export type {
  Condition,
  FieldType,
  FieldValue,
  OrderStep,
  Search,
  Window,
} from '../store/search.ts';

/** A part of a list, by its distance from the start. */
export interface Part<Node> {
  nodes: Node[];
  /** Whether more nodes follow. */
  hasMore: boolean;
}
