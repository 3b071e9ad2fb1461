import { fileExtension } from '../../lib/filename.ts';
import { mediaTypeOf } from '../../lib/header-value.ts';
import type { Sniffed } from '../../media/sniff.ts';

/** What is done with a file: it is shown, read or run. */
type Role = 'media' | 'vector' | 'document' | 'text' | 'page' | 'script' | 'program';

/** A contradiction between a file's content and what its sender says about it. */
export interface Contradiction {
  /** What the content is, for the message. */
  content: string;
  /** What the sender says, for the message: `matches the extension .png`. */
  claim: { extension: string } | { declaredType: string };
}

/**
 * Compares the content of a file with its name and its declared type. Returns the first contradiction, or null.
 *
 * Both are mostly guesses: a system derives the declared type from the extension, and calls TypeScript a video. They
 * contradict only content that is positively something else, and only if it is dangerous to confuse the two: what a
 * browser or a system would run is called something that is only shown, or the reverse. All other content is accepted,
 * and typed by the content.
 */
export function findContradiction(
  { filename, declaredType }: { filename: string; declaredType: string | null },
  sniffed: Sniffed,
): Contradiction | null {
  const role = roleOfContent(sniffed);
  if (role === null) return null;
  const content = sniffed.isScript ? 'a script' : sniffed.mimeType;
  const extension = fileExtension(filename);
  if (extension !== null && isDangerous(role, ROLE_BY_EXTENSION.get(extension))) {
    return { content, claim: { extension } };
  }
  if (declaredType === null || !isDangerous(role, roleOfType(declaredType))) return null;
  return { content, claim: { declaredType } };
}

/** The roles that content of each role must not claim to have. */
const DANGERS: Readonly<Record<Role, readonly Role[]>> = {
  page: ['media', 'vector', 'document'],
  vector: ['media', 'document'],
  script: ['media', 'vector', 'document'],
  program: ['media', 'vector', 'document', 'text'],
  media: ['vector', 'page', 'script', 'program'],
  document: ['vector', 'page', 'script', 'program'],
  text: [],
};

function isDangerous(content: Role, claimed: Role | null | undefined): boolean {
  return claimed !== null && claimed !== undefined && DANGERS[content].includes(claimed);
}

/** Returns null for content that is not recognised, or harmless under any name: archives, data, plain text, XML. */
function roleOfContent({ mimeType, kind, isScript }: Sniffed): Role | null {
  if (isScript && kind !== 'vector' && mimeType !== 'text/html') return 'script';
  if (PROGRAM_TYPES.has(mimeType)) return 'program';
  const isBinaryDocument = kind === 'document' && BINARY_DOCUMENT.test(mimeType);
  return kind === 'pdf' || isBinaryDocument ? 'document' : roleOfShown(mimeType);
}

/** Documents that are text themselves (JSON, YAML, subtitles) may have the name of any text. */
const BINARY_DOCUMENT = /^application\/(?:rtf|msword|epub\+zip|vnd\.)/;

function roleOfShown(mimeType: string): Role | null {
  if (mimeType === 'image/svg+xml') return 'vector';
  if (mimeType === 'text/html' || mimeType === 'application/xhtml+xml') return 'page';
  return /^(?:image|video|audio)\//.test(mimeType) ? 'media' : null;
}

function roleOfType(declaredType: string): Role | null {
  const essence = mediaTypeOf(declaredType);
  // The extension of TypeScript is also that of MPEG streams.
  if (essence === 'video/mp2t') return null;
  if (PROGRAM_TYPES.has(essence)) return 'program';
  if (SCRIPT_TYPE.test(essence)) return 'script';
  return DOCUMENT_TYPE.test(essence) ? 'document' : roleOfShown(essence);
}

const SCRIPT_TYPE =
  /^(?:text|application)\/(?:x-)?(?:javascript|ecmascript|httpd-php|php|sh|csh|shellscript|bat|msdos-batch|perl|python|ruby|powershell|vbscript|hta)$/;
const DOCUMENT_TYPE =
  /^application\/(?:pdf|rtf|msword|epub\+zip|vnd\.(?:ms-(?:word|excel|powerpoint|project|publisher|xpsdocument)|openxmlformats-officedocument|oasis\.opendocument|visio)(?:\..*)?)$/;

/** Types of programs and of packages that install programs. The first ones are those of the content. */
const PROGRAM_TYPES: ReadonlySet<string> = new Set([
  'application/x-msdownload',
  'application/x-msi',
  'application/x-elf',
  'application/x-mach-binary',
  'application/java-vm',
  'application/java-archive',
  'application/vnd.android.package-archive',
  'application/x-shockwave-flash',
  'application/x-ms-shortcut',
  'application/x-google-chrome-extension',
  'application/x-xpinstall',
  'application/x-ios-app',
  'application/wasm',
  'application/x-deb',
  'application/x-rpm',
  'application/vnd.microsoft.portable-executable',
  'application/x-dosexec',
  'application/x-msdos-program',
  'application/x-executable',
  'application/x-sharedlib',
  'application/x-ms-installer',
]);

const EXTENSIONS: Readonly<Record<Role, string>> = {
  media:
    'jpg jpeg jpe jfif pjpeg png apng gif webp avif avifs heic heif hif heics heifs tif tiff bmp dib ico cur icns ' +
    'jxl jp2 j2k jpf jpx jpm jxr wdp psd psb xcf tga pcx exr hdr dds bpg dng cr2 cr3 nef nrw arw raf orf rw2 pef srw ' +
    'mp4 m4v webm mov qt mkv avi mpg mpeg mpe vob ogv ogm wmv flv f4v 3gp 3g2 m2ts ' +
    'mp3 m4a m4b aac ogg oga opus spx wav flac weba aif aiff aifc amr mid midi wma mka ape',
  vector: 'svg svgz',
  document:
    'pdf rtf doc dot docx dotx docm dotm xls xlt xlsx xltx xlsm xltm xlsb ppt pps pot pptx ppsx potx pptm ppsm potm ' +
    'odt ods odp odg odf ott ots otp epub vsd vsdx mpp xps oxps pages numbers hwp msg djvu',
  text: 'txt text log csv tsv md markdown json yaml yml xml srt vtt ics vcf',
  page: 'html htm xhtml xht shtml shtm mht mhtml',
  script:
    'js mjs cjs jse vbs vbe wsf wsh hta ps1 psm1 bat cmd sh bash zsh csh ksh fish php php3 php4 php5 php7 php8 phtml ' +
    'phar asp aspx ashx jsp jspx cgi pl py pyw rb',
  program:
    'exe dll com scr pif cpl msi msp jar war class apk app so dylib elf deb rpm lnk swf wasm crx xpi ipa',
};

const ROLE_BY_EXTENSION: ReadonlyMap<string, Role> = new Map(
  Object.entries(EXTENSIONS).flatMap(([role, extensions]) =>
    extensions.split(' ').map((extension) => [extension, role as Role] as const),
  ),
);
