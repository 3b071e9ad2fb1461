import { vi } from 'vitest';

// Most conditions come true within milliseconds, on a busy machine within seconds. Vitest's own defaults are
// a timeout of one second and twenty checks a second.
const DEFAULTS = { timeout: 60_000, interval: 10 };

const { waitFor, waitUntil } = vi;

vi.waitFor = (callback, options) => waitFor(callback, withDefaults(options));
vi.waitUntil = (callback, options) => waitUntil(callback, withDefaults(options));

interface WaitOptions {
  timeout?: number;
  interval?: number;
}

function withDefaults(options: number | WaitOptions = {}): WaitOptions {
  return { ...DEFAULTS, ...(typeof options === 'number' ? { timeout: options } : options) };
}
