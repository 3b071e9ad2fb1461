import type { UploadError } from '../client/upload/upload-error.ts';

/** The exit codes of the commands. A signal adds its number to 128: 130 after Ctrl-C. */
export const EXIT_CODES = { failed: 1, usage: 2, signal: 128 };

/** The exit codes, as the help explains them. */
export const EXIT_CODE_HELP = `
Exit codes:
  0    done
  1    failed, or some of the files failed
  2    wrong usage
  130  interrupted with Ctrl-C
`;

/** A failure that the user of a command can resolve. The message is complete. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  /** Marks it as an error to print without its stack. */
  readonly code = 'COMMAND_FAILED';
  /** Exit code of the process; null: the one of a failure of the command. */
  readonly exitCode: number | null;

  constructor(message: string, options: ErrorOptions & { exitCode?: number } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? null;
  }
}

/** A command line that makes no sense. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';

  constructor(message: string) {
    super(message, { exitCode: EXIT_CODES.usage });
  }
}

/** The failed items of a command that continued with the others. */
export interface FailureList {
  /**
   * Adds a failure of `itemCount` items; with several items, prints the message at once. 0: a failure of something that was
   * not counted as an item. (Default: 1)
   */
  add(message: string, itemCount?: number): void;
  /** Tells how many items there are beside those that have failed, once that is known. */
  expect(otherCount: number): void;
  /** Throws CommandError if any item failed. */
  throwIfAny(noun: string): void;
}

/** Creates the list. With a single item, its failure is the command's. */
export function createFailureList(count: number): FailureList {
  const messages: string[] = [];
  let failedCount = 0;
  const print = (message: string) => console.error(`trivium: ${message}`);
  let isSingle = count === 1;
  return {
    add(message, itemCount = 1) {
      messages.push(message);
      failedCount += Math.max(itemCount, 1);
      if (itemCount === 0) count += 1;
      if (!isSingle) print(message);
    },
    expect(otherCount) {
      count = failedCount + otherCount;
      if (!isSingle || count <= 1) return;
      isSingle = false;
      messages.forEach(print);
    },
    throwIfAny(noun) {
      const [first] = messages;
      if (first === undefined) return;
      if (isSingle && messages.length > 1) this.expect(0);
      const summary = `${failedCount} of ${count} ${noun} failed`;
      throw new CommandError(isSingle ? first : summary);
    },
  };
}

/** Error codes that the next item would get too. */
const NOT_OF_ONE_ITEM = ['UNREACHABLE', 'UNAVAILABLE', 'TOO_MANY_REQUESTS', 'NOT_AUTHENTICATED'];

/** Tells whether an error is that of one item, so that a command can continue with the others. */
export function isOfOneItem({ code }: UploadError): boolean {
  return !NOT_OF_ONE_ITEM.includes(code);
}

/** Converts an error that concerns all files into a message for the user. */
export function toCommandError(error: UploadError, url: string): CommandError {
  const { uploadId } = error;
  const message = describe(error, url);
  const hint = `\nTo go on, run the same command again, or add --resume ${uploadId}`;
  return new CommandError(uploadId === null ? message : message + hint, { cause: error });
}

function describe({ code, message, cause }: UploadError, url: string): string {
  if (code === 'UNREACHABLE')
    return `cannot reach ${url}: is the server running? (${describeCause(cause)})`;
  if (code === 'NOT_AUTHENTICATED')
    return `${message} Pass a key with --key or TRIVIUM_API_KEY. \`trivium key create <name>\` creates one; the admin key is in admin.key in the server’s data directory.`;
  return message;
}

/** Returns the system's reason for a failed `fetch`, such as `ECONNREFUSED`. */
export function describeCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return describeCause(error.cause);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the device',
  ENAMETOOLONG: 'the name is too long',
};

/** Returns the reason of an error of the file system in words. */
export function describeSystemError(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return SYSTEM_ERRORS[code] ?? message;
}
