/** A file of a multipart request. */
export interface FilePart {
  /** The caller may reuse the buffer once the request has ended. */
  bytes: Uint8Array<ArrayBuffer>;
  /** MIME type; empty if unknown. */
  type: string;
}

/** The body of a request. */
export interface Multipart {
  /** Parts to send, in order. */
  parts: Uint8Array<ArrayBuffer>[];
  /** Content type, with the boundary. */
  type: string;
}

/**
 * Returns the body of a GraphQL request with a file as one of its variables
 * (https://github.com/jaydenseric/graphql-multipart-request-spec). The file comes last, so that the server can process
 * it while it arrives. FormData is not used: if the connection breaks while Node's fetch sends a file in one, the
 * process ends (nodejs/undici#5835).
 */
export function toMultipart(operations: string, variable: string, file: FilePart): Multipart {
  const boundary = Array.from({ length: 4 }, () => Math.random().toString(36).slice(2)).join('');
  const part = (name: string) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"`;
  const head = [
    `${part('operations')}\r\n\r\n${operations}\r\n`,
    `${part('map')}\r\n\r\n{"0":["variables.${variable}"]}\r\n`,
    `${part('0')}; filename="${variable}"\r\n`,
    `content-type: ${file.type || 'application/octet-stream'}\r\n\r\n`,
  ];
  const encode = (text: string) => new TextEncoder().encode(text);
  return {
    parts: [encode(head.join('')), file.bytes, encode(`\r\n--${boundary}--\r\n`)],
    type: `multipart/form-data; boundary=${boundary}`,
  };
}
