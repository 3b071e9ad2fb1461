import DataLoader from 'dataloader';
import {
  AUDIT_ACTIONS,
  type AuditAction,
  type AuditActor,
  type AuditTarget,
  type AuditTargetKind,
} from '../../../domain/viewer/audit.ts';
import {
  type AuditEntry,
  type AuditFilter,
  actorNames,
  countAudit,
  listAudit,
} from '../../../domain/viewer/audit-log.ts';
import { builder } from '../../builder.ts';
import { enumOf } from '../../enum.ts';
import { exposeNullable } from '../../expose.ts';
import { encodeGlobalId, parseOptionalTypedId } from '../../id.ts';
import { perRequest } from '../../loader.ts';
import { pricedByFilter } from '../../price.ts';
import { DateTimeRange, filteredList, withoutNull } from '../filter.ts';
import { RoleEnum } from './viewer.ts';

const AuditActionEnum = enumOf<AuditAction>(
  'AuditAction',
  'Action that an entry of the audit log records.',
  AUDIT_ACTIONS,
);

const AuditActorKindEnum = enumOf<AuditActor['kind']>('AuditActorKind', 'Kind of an actor.', {
  anonymous: 'A viewer without a credential.',
  user: 'A viewer with a token, which names a user.',
  key: 'A viewer with an API key.',
  server: 'The server itself, by a background job that no viewer started.',
  cli: 'The operator of the server, by the command `trivium`.',
});

const namesOf = perRequest(
  ({ domain }) =>
    new DataLoader(async (ids: readonly string[]) => {
      const names = await actorNames(domain, ids);
      return ids.map((id) => names.get(id) ?? null);
    }),
);

const AuditActorRef = builder.objectRef<AuditActor>('AuditActor').implement({
  description: 'Viewer, operator or part of the server that performed an action.',
  fields: (t) => ({
    kind: t.expose('kind', { type: AuditActorKindEnum, description: 'Kind of the actor.' }),
    ...exposeNullable(t, 'String', {
      id: '`Viewer.id` of the actor. Null for an anonymous viewer, the operator and the server.',
    }),
    name: t.string({
      nullable: true,
      description:
        'Name of the actor, if it is a user of this server, or an API key and the viewer may list API keys. Null otherwise.',
      resolve: ({ id }, _args, context) => (id === null ? null : namesOf(context).load(id)),
    }),
    role: t.field({
      type: RoleEnum,
      nullable: true,
      description: 'Role of the actor at that time. Null for an anonymous viewer.',
      resolve: ({ role }) => role,
    }),
  }),
});

/** The type of the global ids of each kind of target. */
const TYPES: Readonly<Record<AuditTargetKind, string>> = {
  media: 'Media',
  folder: 'Folder',
  tag: 'Tag',
  job: 'Job',
  api_key: 'ApiKey',
  user: 'User',
};

const AuditTargetKindEnum = enumOf<AuditTargetKind>(
  'AuditTargetKind',
  'Kind of the target of an entry of the audit log.',
  {
    media: 'A media item.',
    folder: 'A folder.',
    tag: 'A tag.',
    job: 'A background job.',
    api_key: 'An API key.',
    user: 'A user of this server.',
  },
);

const AuditTargetRef = builder.objectRef<AuditTarget>('AuditTarget').implement({
  description: 'Target of an action. It may have been deleted since.',
  fields: (t) => ({
    kind: t.expose('kind', { type: AuditTargetKindEnum, description: 'Kind of the target.' }),
    id: t.id({
      nullable: true,
      description:
        'Global id of the target. Null for an unknown user, for the admin key, and for an archive of several media.',
      resolve: ({ kind, id }) => (id === null ? null : encodeGlobalId(TYPES[kind], id)),
    }),
    ...exposeNullable(t, 'String', {
      name: 'Name of the target at that time; of a job, its class. Null for an unknown user, and for an archive of several media.',
    }),
  }),
});

/** An entry of the audit log. */
export const AuditEntryRef = builder.objectRef<AuditEntry>('AuditEntry').implement({
  description: 'An entry of the audit log: who did what to which thing, and when.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'Time of the action.' }),
    actor: t.expose('actor', { type: AuditActorRef, description: 'Actor of the action.' }),
    action: t.expose('action', {
      type: AuditActionEnum,
      description: 'Action that was performed.',
    }),
    target: t.expose('target', {
      type: AuditTargetRef,
      description: 'Target of the action, as it was at that time.',
    }),
    details: t.expose('details', {
      type: 'JSON',
      description: 'Facts about the action, an object: see `AuditAction`.',
    }),
  }),
});

/** The connection of every list of entries. */
export const AuditEntryConnection = builder.connectionObject({
  type: AuditEntryRef,
  name: 'AuditEntryConnection',
});

const AuditFilterInput = builder.inputType('AuditFilter', {
  description: 'Filter for the audit log. An entry must match every given field.',
  fields: (t) => ({
    actorId: t.string({ description: 'Matches actions of the viewer with this `Viewer.id`.' }),
    action: t.field({ type: AuditActionEnum, description: 'Matches this action.' }),
    targetId: t.id({
      description:
        'Matches actions on the thing with this global id: a media item, a folder, a tag, a job, an API key or a user. It may be gone.',
    }),
    at: t.field({ type: DateTimeRange, description: 'Matches actions in this span of time.' }),
  }),
});

builder.queryField('auditLog', (t) =>
  t.connection(
    {
      type: AuditEntryRef,
      ...pricedByFilter(),
      description:
        'Lists who did what, and when, newest first, for as long as `TRIVIUM_AUDIT_DAYS` says. Requires the role `ADMIN`; an admin with start nodes sees only its own actions.',
      args: {
        filter: t.arg({
          type: AuditFilterInput,
          description: 'Limits the log to entries that match this filter. Omit it for all entries.',
        }),
      },
      resolve: filteredList({ toFilter, list: listAudit, count: countAudit }),
    },
    AuditEntryConnection,
  ),
);

function toFilter(filter?: typeof AuditFilterInput.$inferInput | null): AuditFilter {
  if (!filter) return {};
  const { targetId, at, ...rest } = filter;
  const target = parseOptionalTypedId(Object.values(TYPES), targetId, 'targetId');
  const kinds = Object.keys(TYPES) as AuditTargetKind[];
  const kind = kinds.find((kind) => TYPES[kind] === target?.typename);
  return {
    ...withoutNull(rest),
    target: target && kind && { kind, id: target.id },
    at: at ? withoutNull(at) : undefined,
  };
}
