import type { UploadError } from '../client/upload/upload-error.ts';

/** A failure that the user of a command can resolve. The message is complete. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** Marks it as an error to print without its stack. */
  readonly code = 'COMMAND_FAILED';
}

/** The failed files of a command that continued with the others. */
export interface FailureList {
  /** Adds a failed file; if there are several files, prints the message at once. */
  add(message: string): void;
  /** Throws CommandError if any file failed. */
  throwIfAny(): void;
}

/** Creates the list for a command with this many files. With a single file, its failure is the command's. */
export function createFailureList(fileCount: number): FailureList {
  const messages: string[] = [];
  return {
    add(message) {
      messages.push(message);
      if (fileCount > 1) console.error(`trivium: ${message}`);
    },
    throwIfAny() {
      const [first] = messages;
      if (first === undefined) return;
      const summary = `${messages.length} of ${fileCount} files failed`;
      throw new CommandError(fileCount > 1 ? summary : first);
    },
  };
}

/** Converts an error that concerns all files into a message for the user. */
export function toCommandError(error: UploadError, url: string): CommandError {
  const { uploadId } = error;
  const message = describe(error, url);
  if (uploadId === null) return new CommandError(message, { cause: error });
  const hint = `To resume this upload later, add --resume ${uploadId}`;
  return new CommandError(`${message}\n${hint}`, { cause: error });
}

function describe({ code, message, cause }: UploadError, url: string): string {
  if (code === 'UNREACHABLE')
    return `cannot reach ${url}: is the server running? (${describeCause(cause)})`;
  if (code === 'NOT_AUTHENTICATED')
    return `${message} Pass a key with --key or TRIVIUM_API_KEY. \`trivium key create <name>\` creates one; the admin key is in admin.key in the server’s data directory.`;
  return message;
}

/** Returns the system's reason for a failed `fetch`, such as `ECONNREFUSED`. */
function describeCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return describeCause(error.cause);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
