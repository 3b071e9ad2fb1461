import { Parser } from 'htmlparser2';

/** Who is told what is in a page, in its order; names in lower case. */
export interface HtmlHandler {
  onOpen(name: string, attributes: Readonly<Record<string, string>>): void;
  onText?(text: string): void;
  onClose?(name: string): void;
}

/**
 * Elements within each other; browsers stop there too. The parser looks through all that are open at each end: a
 * mebibyte of `<b>` and `</x>` took it 27 seconds.
 */
const DEPTH_MAX = 512;
/** Between two looks at the depth. */
const PIECE_LENGTH = 8192;

/** Reads a page, damaged as it may be; of one that is too deep, its beginning. */
export function scanHtml(html: string, { onOpen, onText, onClose }: HtmlHandler): void {
  let depth = 0;
  const parser = new Parser({
    onopentag(name, attributes) {
      depth += 1;
      onOpen(name, attributes);
    },
    ...(onText && { ontext: onText }),
    onclosetag(name) {
      depth -= 1;
      onClose?.(name);
    },
  });
  for (let at = 0; at < html.length && depth <= DEPTH_MAX; at += PIECE_LENGTH) {
    parser.write(html.slice(at, at + PIECE_LENGTH));
  }
  parser.end();
}
