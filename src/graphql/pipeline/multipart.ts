import type { IncomingMessage, ServerResponse } from 'node:http';
import { type GraphQLOperation, processRequest } from 'graphql-upload-minimal';

/** What a multipart request may hold. */
export interface MultipartLimits {
  maxFiles: number;
  /** Of `operations` and of `map`, in bytes. */
  maxFieldSize: number;
}

/**
 * The operation of a multipart request, as soon as it has been read: its files arrive while it runs. Throws
 * UnreadableRequestError.
 */
export async function readMultipart(
  request: IncomingMessage,
  response: ServerResponse,
  limits: MultipartLimits,
): Promise<GraphQLOperation | GraphQLOperation[]> {
  listenToEveryError(request);
  try {
    return await processRequest(request, response, limits);
  } catch (error) {
    throw new UnreadableRequestError(error);
  }
}

/** A request that the parser cannot read: it fails for no reason that is not the sender's. */
export class UnreadableRequestError extends Error {
  override readonly name = 'UnreadableRequestError';
  /** HTTP: 413 for what is too large, else 400. */
  readonly status: number;

  constructor(cause: unknown) {
    super((cause as Error).message, { cause });
    this.status = (cause as { status?: number }).status === 413 ? 413 : 400;
  }
}

/**
 * The parser is destroyed at its first error, and may then emit a second one: of a part whose header is broken,
 * or has not ended. The package listens once, and an error that nobody listens to ends the process.
 */
function listenToEveryError(request: IncomingMessage): void {
  const pipe = request.pipe.bind(request);
  request.pipe = (parser, options) => {
    parser.on('error', () => {});
    return pipe(parser, options);
  };
}
