/** A file of a multipart request. */
export interface FilePart {
  /** May be used for something else once the request has ended. */
  bytes: Uint8Array<ArrayBuffer>;
  /** MIME type; empty if nothing is known. */
  type: string;
}

/** The body of a request. */
export interface Multipart {
  /** To be sent one after the other. */
  parts: Uint8Array<ArrayBuffer>[];
  /** Its content type, with the boundary. */
  type: string;
}

/**
 * A GraphQL request with a file in the place of a variable; the file comes last, to be worked on while it
 * arrives: https://github.com/jaydenseric/graphql-multipart-request-spec. Not a FormData: a connection
 * that breaks while Node's fetch sends a file in one ends the process (nodejs/undici#5835).
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
