import type { Target } from './place.ts';
import { nameOf, type PlannedField } from './plan.ts';
import { isPlain, serialize } from './value.ts';

/**
 * Writes the value of a scalar field that is a property of its object, without calling its resolver. Returns false if
 * the resolver is needed: for null, a promise or an error.
 */
export function writeProperty(
  { property, output, name }: PlannedField,
  source: unknown,
  target: Target,
): boolean {
  if (property === undefined || output.kind !== 'leaf') return false;
  try {
    const value = (source as Record<string, unknown>)[property];
    if (!isPlain(value)) return false;
    target[name] = serialize(output.type, value);
    return true;
  } catch {
    return false;
  }
}

/** Returns the message for a null in a non-nullable field. */
export function nullMessage(field: PlannedField): string {
  return `Cannot return null for non-nullable field ${nameOf(field)}.`;
}
