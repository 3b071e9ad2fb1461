import { vi } from 'vitest';

// What a test waits for comes in milliseconds, and on a busy machine in seconds. Vitest gives up after one,
// and looks twenty times a second.
const PATIENCE = { timeout: 10_000, interval: 10 };

const { waitFor, waitUntil } = vi;

vi.waitFor = (callback, options) => waitFor(callback, patient(options));
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options));

interface WaitOptions {
  timeout?: number;
  interval?: number;
}

function patient(options: number | WaitOptions = {}): WaitOptions {
  return { ...PATIENCE, ...(typeof options === 'number' ? { timeout: options } : options) };
}
