import sniffEncoding from 'html-encoding-sniffer';

/**
 * Decodes a page by the encoding that the HTML standard finds: from its byte order mark, the Content-Type header, or a
 * `<meta>` in its first 1024 bytes. Without any, UTF-8 if the bytes are valid UTF-8, else windows-1252, the default of
 * Western browsers. Bytes that are invalid in the encoding become U+FFFD.
 */
export function decodeHtml(bytes: Uint8Array, contentType: string | null): string {
  const defaultEncoding = isUtf8(bytes) ? 'UTF-8' : 'windows-1252';
  const label = charsetOf(contentType ?? '');
  const encoding = sniffEncoding(bytes, {
    defaultEncoding,
    ...(label !== undefined && { transportLayerEncodingLabel: label }),
  });
  // The standard's encoding of labels that are unsafe to decode, `iso-2022-kr` among them: TextDecoder rejects it.
  const isUndecodable = encoding === 'replacement';
  return new TextDecoder(isUndecodable ? defaultEncoding : encoding).decode(bytes);
}

function charsetOf(contentType: string): string | undefined {
  return /charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(contentType)?.[1];
}

/** Tells whether the bytes are valid UTF-8; the page may have been cut in the middle of a character. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
