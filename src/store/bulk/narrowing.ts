import { toSearchWords } from '../../lib/search-text.ts';
import type { Db } from '../db.ts';
import { EVERYTHING, VISIBILITIES } from '../scope.ts';
import type { NodeFilter } from '../tree/condition.ts';
import { conditionsOf } from '../tree/filter.ts';

/** A condition on one property of a node. */
interface Literal {
  /** The property. Its values do not depend on those of other properties. */
  variable: string;
  /** The values that the property can have: at least one that meets the condition, and one that does not. */
  values: readonly unknown[];
  holds: (value: unknown) => boolean;
}

/** A filter as a formula: what always holds, or never, is a constant. */
type Formula = boolean | Literal | { all: readonly Formula[] } | { not: Formula };

/**
 * Tells whether a filter leaves out any media, as far as its fields say, whatever the library contains: `or` of a
 * condition and its opposite leaves out nothing. `everyType` are all types of media. A range of sizes, extents or
 * durations that begins at 0 counts as one that leaves out nothing, although some media have no such value.
 */
export function isNarrowed(db: Db, filter: NodeFilter, everyType: readonly string[]): boolean {
  const formula = toFormula(db, filter, everyType);
  const literals = literalsOf(formula);
  const isRepeated = ({ variable }: Literal) =>
    literals.filter((other) => other.variable === variable).length > 1;
  const repeated = new Map(literals.filter(isRepeated).map((one) => [one.variable, one.values]));
  return canFail(formula, [...repeated]);
}

/**
 * Tells whether some values of the repeated variables, beside the worst ones of the others, make a formula false. A filter
 * has at most 20 conditions in others, so that at most 10 variables are repeated.
 */
function canFail(
  formula: Formula,
  repeated: readonly (readonly [variable: string, values: readonly unknown[]])[],
  chosen: ReadonlyMap<string, unknown> = new Map(),
): boolean {
  const [first, ...others] = repeated;
  if (first === undefined) return !evaluate(formula, chosen, true);
  const [variable, values] = first;
  return values.some((value) => canFail(formula, others, new Map(chosen).set(variable, value)));
}

/** Evaluates a formula. `isPositive`: the whole formula gets no truer if this part of it gets false. */
function evaluate(
  formula: Formula,
  chosen: ReadonlyMap<string, unknown>,
  isPositive: boolean,
): boolean {
  if (typeof formula === 'boolean') return formula;
  if ('not' in formula) return !evaluate(formula.not, chosen, !isPositive);
  if ('all' in formula) return formula.all.every((one) => evaluate(one, chosen, isPositive));
  const { variable, holds } = formula;
  return chosen.has(variable) ? holds(chosen.get(variable)) : !isPositive;
}

function literalsOf(formula: Formula): Literal[] {
  if (typeof formula === 'boolean') return [];
  if ('not' in formula) return literalsOf(formula.not);
  return 'all' in formula ? formula.all.flatMap(literalsOf) : [formula];
}

function toFormula(db: Db, filter: NodeFilter, everyType: readonly string[]): Formula {
  const inner = (nested: NodeFilter) => toFormula(db, nested, everyType);
  const { kind: _, and = [], or, not, ...own } = filter;
  const fields = Object.entries(own).map(([field, value]): Formula => {
    if (!isCondition(db, { [field]: value })) return true;
    if (field === 'types') return oneOf(field, value as string[], everyType);
    if (field === 'visibility') return oneOf(field, value as string[], VISIBILITIES);
    return toLiteral(field, value);
  });
  return {
    all: [
      ...fields,
      ...and.map(inner),
      ...(or === undefined ? [] : [{ not: { all: or.map((one) => ({ not: inner(one) })) } }]),
      ...(not === undefined ? [] : [{ not: inner(not) }]),
    ],
  };
}

function isCondition(db: Db, filter: NodeFilter): boolean {
  return conditionsOf(db, EVERYTHING, filter).length > conditionsOf(db, EVERYTHING, {}).length;
}

function oneOf(variable: string, some: readonly string[], values: readonly string[]): Formula {
  if (some.length === 0) return false;
  if (values.every((value) => some.includes(value))) return true;
  return { variable, values, holds: (value) => some.includes(value as string) };
}

const RANGES_FROM_ZERO: readonly string[] = ['sizeBytes', 'width', 'height', 'durationMs'];

function toLiteral(field: string, value: unknown): Formula {
  if (field === 'search') return toSearchWords(String(value)).length > 0 && isTrue(field, value);
  // Each list is one of values, one of which has to match.
  if (value === '' || (Array.isArray(value) && value.length === 0)) return false;
  if (field === 'md5' && !/^[0-9a-f]{32}$/i.test(String(value))) return false;
  if (RANGES_FROM_ZERO.includes(field)) {
    const { min = 0, max } = value as { min?: number; max?: number };
    return (min <= 0 && max === undefined) || isTrue(field, value);
  }
  if (typeof value === 'boolean') return isTrue(field, null, value);
  if (field !== 'metadata') return isTrue(field, value);
  const { exists = true, ...match } = value as { exists?: boolean };
  return isTrue(field, match, exists);
}

/** Returns the condition that a node has a property, or does not have it. */
function isTrue(field: string, value: unknown, expected = true): Literal {
  return {
    variable: JSON.stringify([field, value]),
    values: [true, false],
    holds: (value) => value === expected,
  };
}
