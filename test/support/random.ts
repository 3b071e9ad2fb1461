/** Numbers from 0 to below a bound, the same ones in every run with the same seed. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = next(state);
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Returns the same bytes in every run, fast enough for a large image. */
export function randomBytes(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = 1;
  for (let at = 0; at < length; at++) {
    state = next(state);
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** Returns the next state of a linear congruential generator, with the constants of Numerical Recipes. */
function next(state: number): number {
  return (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
}
