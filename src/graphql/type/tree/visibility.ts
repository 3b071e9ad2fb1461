import type { Visibility } from '../../../domain/tree/visibility.ts';
import { enumOf } from '../../enum.ts';

/** The visibilities of media. */
export const VisibilityEnum = enumOf<Visibility>(
  'Visibility',
  'Who may see a media item and read its files.',
  {
    public: 'Everyone may see the media item, even if the server requires a credential.',
    unlisted:
      'As other content of the server: if the server requires a credential, only viewers with one may see the media item. Everyone who knows the URL of a file may read the file.',
    private:
      'Only the viewer who created the media item, admins, and viewers whose start nodes contain it may see it. Reading a file takes the credential of one of them, or a signed URL.',
  },
);
