import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects garbage: `minor` among the young objects, in 0.1 ms; `all` everywhere, in about 0.1 s, and returns what it
 * frees to the system.
 */
export type Collect = (what: 'minor' | 'all') => void;

/** Returns the collector of V8, which only a new context receives. */
export function loadCollector(): Collect {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  return (what) =>
    collect(what === 'all' ? { type: 'major', flavor: 'last-resort' } : { type: 'minor' });
}
