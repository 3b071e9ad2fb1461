/** `; did you mean "status"?` of what is nearest to a name, or nothing where nothing is near. */
export function suggestion(name: string, known: readonly string[]): string {
  const distances = known.map((one) => ({ one, distance: distanceOf(name.slice(0, 100), one) }));
  const [best] = distances.sort((a, b) => a.distance - b.distance);
  const isNear = best !== undefined && best.distance <= Math.max(2, best.one.length / 2);
  return isNear ? `; did you mean "${best.one}"?` : '';
}

/** Letters to put in, to take out, to exchange, or to swap with the next (Damerau-Levenshtein). */
function distanceOf(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const exchange = at(i - 1, j - 1) + Number(a[i - 1] !== b[j - 1]);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY;
      rows[i]?.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, exchange, swap));
    }
  }
  return at(a.length, b.length);
}
