import type { UploadError } from '../client/upload-error.ts';

/** A command failed for a reason that its user can do something about; the message says all of it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** Who catches it needs no stack. */
  readonly code = 'COMMAND_FAILED';
}

/** The files of a command that failed, while the others went on. */
export interface FailureList {
  /** Says at once what happened to a file. */
  add(message: string): void;
  /** Throws CommandError if there was any. */
  throwIfAny(): void;
}

/** For a command with so many files; of a single one the failure is that of the command itself. */
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

/** What the user of a command is told of an error of the client that all files have in common. */
export function toCommandError(error: UploadError, url: string): CommandError {
  const { uploadId } = error;
  const message = describe(error, url);
  if (uploadId === null) return new CommandError(message, { cause: error });
  const hint = `To go on with the file later, send it with --resume ${uploadId}`;
  return new CommandError(`${message}\n${hint}`, { cause: error });
}

function describe({ code, message, cause }: UploadError, url: string): string {
  if (code === 'UNREACHABLE')
    return `cannot reach ${url}: is the server running? (${describeCause(cause)})`;
  if (code === 'NOT_AUTHENTICATED')
    return `${message} Give a key with --key or TRIVIUM_API_KEY: \`trivium key create <name>\` makes one, and the admin’s is in admin.key of the server’s data directory.`;
  return message;
}

/** Of a failed `fetch`, what the system said: `ECONNREFUSED`. */
function describeCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return describeCause(error.cause);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
