import { loadCollector } from './collect.ts';

/**
 * Bytes that may pass between two collections. A collection takes 0.1 ms. While 300 MiB are uploaded, RSS grows by
 * 10 MiB with this value, and by 51 MiB with V8's default.
 */
const INTERVAL_BYTES = 8 * 2 ** 20;

/**
 * Creates a function that counts the bytes that pass through and starts a minor collection whenever enough have. Their
 * buffers lie outside of V8's heap and are freed with the young objects that hold them; uploads create too few of those
 * for V8 to collect them in time. (A smaller young space has the same effect, but makes every query 1.6 times as slow.)
 */
export function createScavenger(): (countBytes: number) => void {
  const collect = loadCollector();
  let passedBytes = 0;
  return (countBytes) => {
    passedBytes += countBytes;
    if (passedBytes < INTERVAL_BYTES) return;
    passedBytes = 0;
    collect('minor');
  };
}
