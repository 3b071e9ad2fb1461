import { countHistoryOfEach, historyOfEach } from '../../../domain/tree/history.ts';
import { builder } from '../../builder.ts';
import { pageConnection } from '../../connection.ts';
import { AuditEntryConnection, AuditEntryRef } from '../viewer/audit.ts';
import { MediaRef } from './media.ts';

builder.objectField(MediaRef, 'history', (t) =>
  t.connection(
    {
      type: AuditEntryRef,
      description:
        'Entries of the audit log about this media item, newest first. Empty unless the viewer may change the media item. After its deletion, `Query.auditLog` still has them.',
      ...pageConnection(historyOfEach, countHistoryOfEach),
    },
    AuditEntryConnection,
  ),
);
