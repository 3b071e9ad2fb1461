/** The viewers of the matrix. Every item belongs to `owner`, an editor, and lies in the folder `Inside`. */
export const VIEWERS = {
  anonymous: null,
  reader: 'reader',
  owner: 'editor',
  stranger: 'editor',
  admin: 'admin',
  /** A key of an editor whose start node is the folder of the items. */
  inside: 'editor',
  /** A key of an editor with another start node. */
  outside: 'editor',
  /** A key that was good. */
  expired: 'refused',
  revoked: 'refused',
  /** Nobody, with the signature of the item's file in the query. */
  signed: null,
} as const;

export type ViewerName = keyof typeof VIEWERS;
export const VIEWER_NAMES = Object.keys(VIEWERS) as ViewerName[];

export const VISIBILITIES = ['PUBLIC', 'UNLISTED', 'PRIVATE'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

export const MODES = ['open', 'required'] as const;
export type Mode = (typeof MODES)[number];

/** One cell of the matrix, without its operation. */
export interface Facts {
  viewer: ViewerName;
  mode: Mode;
  visibility: Visibility;
}

/** What an operation does: `ok` is a success that shows or changes the item. Anything else is the text of a fault. */
export type Outcome = 'ok' | 'absent' | 'forbidden' | 'unauthenticated' | (string & {});

/** The rule of an operation: its outcome for a viewer with a valid credential, or with none. */
export type Rule = (facts: Facts) => Outcome;

const roleOf = ({ viewer }: Facts) => VIEWERS[viewer];
const isNobody = (facts: Facts) => roleOf(facts) === null;

/** Tells whether a viewer may see an item: the rule of visibility and start nodes, stated a second time. */
export function sees(facts: Facts): boolean {
  const { viewer, mode, visibility } = facts;
  if (viewer === 'admin' || viewer === 'owner' || viewer === 'inside') return true;
  if (viewer === 'outside') return false;
  if (isNobody(facts) && mode === 'required') return visibility === 'PUBLIC';
  return visibility !== 'PRIVATE';
}

/** Everybody, also without a credential. */
export const everyone: Rule = () => 'ok';

/** Everybody who has a credential. */
export const anyCredential: Rule = (facts) => (isNobody(facts) ? 'unauthenticated' : 'ok');

/** Editors and admins. */
export const editors: Rule = (facts) => {
  if (isNobody(facts)) return 'unauthenticated';
  return roleOf(facts) === 'reader' ? 'forbidden' : 'ok';
};

/** Admins. */
export const admins: Rule = (facts) => {
  if (isNobody(facts)) return 'unauthenticated';
  return roleOf(facts) === 'admin' ? 'ok' : 'forbidden';
};

/** Everybody while the server is open; otherwise as the other rule says. */
export const openOr =
  (rule: Rule): Rule =>
  (facts) =>
    facts.mode === 'open' ? 'ok' : rule(facts);

/** Those who see the item; for others it does not exist. */
export const whoSees: Rule = (facts) => (sees(facts) ? 'ok' : 'absent');

/** Those who see the item and have a credential. */
export const whoSeesWithCredential: Rule = (facts) =>
  isNobody(facts) ? 'unauthenticated' : whoSees(facts);

/** The creator of the item and admins; others are told so only if they see it. Of the role, before all else. */
export const ownerOrAdmin: Rule = (facts) => {
  const byRole = editors(facts);
  if (byRole !== 'ok' || facts.viewer === 'owner' || facts.viewer === 'admin') return byRole;
  return sees(facts) ? 'forbidden' : 'absent';
};

/** The creator of the item and admins; for others there is nothing. */
export const onlyOwnerOrAdmin: Rule = ({ viewer }) =>
  viewer === 'owner' || viewer === 'admin' ? 'ok' : 'absent';

/** Those who see the item in the trash. */
export const trashReader: Rule = (facts) =>
  isNobody(facts) ? 'unauthenticated' : onlyOwnerOrAdmin(facts);

/** Those of whom the item in the trash is; the role counts before all else. */
export const trashOwner: Rule = (facts) => {
  const byRole = editors(facts);
  return byRole === 'ok' ? onlyOwnerOrAdmin(facts) : byRole;
};

/** Those who may add media and see the item; the role counts before all else. */
export const whoAddsAndSees: Rule = (facts) => {
  const byRole = openOr(editors)(facts);
  return byRole === 'ok' ? whoSees(facts) : byRole;
};

/** Those who see the folder of the items: folders are shown as unlisted media. */
export const whoSeesFolder: Rule = (facts) => whoSees({ ...facts, visibility: 'UNLISTED' });

/** The rule for a folder that the viewer adds to, or changes. */
export const inFolder =
  (rule: Rule): Rule =>
  (facts) => {
    const outcome = rule(facts);
    return outcome === 'ok' && facts.viewer === 'outside' ? 'absent' : outcome;
  };

/** The creator of the folder and admins. */
export const folderOwnerOrAdmin: Rule = (facts) =>
  ownerOrAdmin({ ...facts, visibility: 'UNLISTED' });

/** The creator of the upload session, whoever else may upload. */
export const sessionOwner: Rule = (facts) => {
  const outcome = openOr(editors)(facts);
  return outcome === 'ok' && facts.viewer !== 'owner' ? 'absent' : outcome;
};

/** Those who see the item, and a job of it only with a credential. */
export const jobsOfItem: Rule = (facts) => (sees(facts) ? anyCredential(facts) : 'absent');

/** Those who see both the item and the folder that it is listed in. */
export const listedInFolder: Rule = (facts) =>
  whoSeesFolder(facts) === 'ok' ? whoSees(facts) : 'absent';

/** As another rule, except that whoever is allowed to do it learns that the input is not right for the item. */
export const butRefused =
  (rule: Rule, refusal: string): Rule =>
  (facts) => {
    const outcome = rule(facts);
    return outcome === 'ok' ? refusal : outcome;
  };

/** As another rule, in a dialect that asks for a credential before it says that something does not exist. */
export const credentialFirst =
  (rule: Rule): Rule =>
  (facts) => {
    const outcome = rule(facts);
    return outcome === 'absent' && isNobody(facts) ? 'unauthenticated' : outcome;
  };

/** The bytes: of a private item, for those who see it and for whoever has a signed URL. */
export const bytes: Rule = (facts) =>
  facts.visibility !== 'PRIVATE' || facts.viewer === 'signed' ? 'ok' : whoSees(facts);

/** The bytes in another size: the signature of one URL is good for no other. */
export const renditionBytes: Rule = (facts) =>
  facts.viewer === 'signed' ? 'forbidden' : bytes(facts);

/** Nobody: there is nothing at this path. */
export const nobody: Rule = () => 'absent';

/** Returns what a rule expects, with what holds for every operation: a bad credential is refused, whatever it is for. */
export function expectedOf(rule: Rule, ignoresCredentials: boolean, facts: Facts): Outcome {
  if (roleOf(facts) === 'refused' && !ignoresCredentials) return 'unauthenticated';
  return rule(facts);
}
