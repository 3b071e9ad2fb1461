import { BrokenImageError, DamagedImageError, ImageTooLargeError } from '../probe.ts';
import { LostMotionError, renderImage } from '../render.ts';
import { renderSet } from './image-set.ts';

/** The functions that another process can run. */
export const WORK = { renderSet, renderImage } as const;
export type Work = typeof WORK;

/** Work for another process. */
export interface Request<Name extends keyof Work = keyof Work> {
  id: number;
  name: Name;
  parameters: Parameters<Work[Name]>;
}

/** What a function of `WORK` returns. */
export type Result<Name extends keyof Work = keyof Work> = Awaited<ReturnType<Work[Name]>>;

/** The answer to the request with the same id. */
export type Answer = { id: number } & ({ result: Result } | { failure: Failure });

/** An error that crosses the border of a process, which keeps no classes. */
type Failure =
  | { kind: keyof typeof ERRORS; message: string }
  | { kind: 'too-large'; pixelsMax: number };

/** The classes of errors by their kind. */
const ERRORS = {
  damaged: DamagedImageError,
  broken: BrokenImageError,
  'lost-motion': LostMotionError,
  other: Error,
} as const;

/** Does the work of a request. Never throws. */
export async function answer({ id, name, parameters }: Request): Promise<Answer> {
  // The parameters are those of the function of that name.
  const work = WORK[name] as (...parameters: unknown[]) => Promise<Result>;
  try {
    return { id, result: await work(...parameters) };
  } catch (error) {
    return { id, failure: toFailure(error, parameters) };
  }
}

function toFailure(error: unknown, [, , { pixelsMax }]: Request['parameters']): Failure {
  if (error instanceof ImageTooLargeError) return { kind: 'too-large', pixelsMax };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof LostMotionError) return { kind: 'lost-motion', message };
  const isBroken = error instanceof BrokenImageError;
  const kind = error instanceof DamagedImageError ? 'damaged' : isBroken ? 'broken' : 'other';
  return { kind, message };
}

/** Returns the error that the other process has caught. */
export function fromFailure(failure: Failure): Error {
  if (failure.kind === 'too-large') return new ImageTooLargeError(failure.pixelsMax);
  return new ERRORS[failure.kind](failure.message);
}
