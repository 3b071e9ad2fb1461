import { BrokenImageError, DamagedImageError, ImageTooLargeError } from '../probe.ts';
import { type ImageSet, type RenderSet, renderSet } from './image-set.ts';

/** Work for another process. */
export interface Request {
  id: number;
  parameters: Parameters<RenderSet>;
}

/** The answer to the request with the same id. */
export type Answer = { id: number } & ({ set: ImageSet } | { failure: Failure });

/** An error that crosses the border of a process, which keeps no classes. */
type Failure =
  | { kind: keyof typeof ERRORS; message: string }
  | { kind: 'too-large'; pixelsMax: number };

/** The classes of errors by their kind. */
const ERRORS = { damaged: DamagedImageError, broken: BrokenImageError, other: Error } as const;

/** Does the work of a request. Never throws. */
export async function answer({ id, parameters }: Request): Promise<Answer> {
  try {
    return { id, set: await renderSet(...parameters) };
  } catch (error) {
    return { id, failure: toFailure(error, parameters) };
  }
}

function toFailure(error: unknown, [, , { pixelsMax }]: Request['parameters']): Failure {
  if (error instanceof ImageTooLargeError) return { kind: 'too-large', pixelsMax };
  const isBroken = error instanceof BrokenImageError;
  const kind = error instanceof DamagedImageError ? 'damaged' : isBroken ? 'broken' : 'other';
  return { kind, message: error instanceof Error ? error.message : String(error) };
}

/** Returns the error that the other process has caught. */
export function fromFailure(failure: Failure): Error {
  if (failure.kind === 'too-large') return new ImageTooLargeError(failure.pixelsMax);
  return new ERRORS[failure.kind](failure.message);
}
