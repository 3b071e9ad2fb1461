import { builder } from '../../builder.ts';

/** The types of media; the values are those of the store. */
export const MediaTypeEnum = builder.enumType('MediaType', {
  description: 'Type of a media item.',
  values: {
    IMAGE: { value: 'image', description: 'A stored image, or a link to an image.' },
    EDITOR_IMAGE: {
      value: 'eimage',
      description:
        'A stored image that is part of a text. An upload gets this type only if it asks for it.',
    },
    DOCUMENT: {
      value: 'doc',
      description:
        'A stored document. By default, only PDFs are documents; the server settings can add formats.',
    },
    FILE: {
      value: 'file',
      description:
        'Any stored file. It is the default type of a file that is not an image, SVG, document, video or audio file.',
    },
    VIDEO: { value: 'video', description: 'A stored video.' },
    AUDIO: { value: 'audio', description: 'A stored audio file.' },
    VECTOR: {
      value: 'vector',
      description: 'A stored SVG. It is served sandboxed, so that its scripts cannot run.',
    },
    VIMEO: { value: 'vimeo', description: 'A link to a video on Vimeo.' },
    URL: { value: 'url', description: 'A link to a web page.' },
    EMBED: {
      value: 'embed',
      description: 'A reference to an object in another system, by its type and id.',
    },
    SHARE: {
      value: 'share',
      description:
        'A reference to content of the community that uses this server, by its type and id.',
    },
  } as const,
});
