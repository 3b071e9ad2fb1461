import { builder } from '../../builder.ts';

/** What kind of media it is; the values are those of the store. */
export const MediaTypeEnum = builder.enumType('MediaType', {
  description: 'What a media is.',
  values: {
    IMAGE: { value: 'image', description: 'A stored picture, or a link to one.' },
    EDITOR_IMAGE: { value: 'eimage', description: 'A picture inside a text.' },
    DOCUMENT: { value: 'doc', description: 'A stored document, PDF unless configured otherwise.' },
    FILE: { value: 'file', description: 'A stored file of any other kind.' },
    VIDEO: { value: 'video', description: 'A stored video.' },
    AUDIO: { value: 'audio', description: 'A stored sound.' },
    VECTOR: { value: 'vector', description: 'A stored SVG; never executed, served sandboxed.' },
    VIMEO: { value: 'vimeo', description: 'A video at Vimeo.' },
    URL: { value: 'url', description: 'A link.' },
    EMBED: { value: 'embed', description: 'Something of another system, by its type and id.' },
    SHARE: { value: 'share', description: 'Another object of the community.' },
  } as const,
});
