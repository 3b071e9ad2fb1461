import { z } from 'zod';
import { InvalidInputError } from '../error.ts';
import { displayName, parseInput } from '../input.ts';
import { hashPassword } from './password.ts';
import { ROLES, type Role } from './viewer.ts';

/** A user who can log in. */
export interface User {
  name: string;
  role: Role;
  /** Uuids of the start nodes that the user is limited to. Absent: the whole tree. */
  start_nodes?: string[] | undefined;
  /** See `hashPassword`. */
  password: string;
}

/** Maximum number of characters of a user's name. */
export const NAME_MAX = 100;

const user = z.object({
  name: z.string().min(1).max(NAME_MAX),
  role: z.enum(ROLES),
  start_nodes: z.array(z.guid().toLowerCase()).min(1).optional(),
  password: z.string().regex(/^scrypt\$\d+\$\d+\$\d+\$[\w-]+\$[\w-]+$/, 'a scrypt hash'),
});

const users = z.object({ users: z.array(user) });

/** Returns the users that a JSON value names. Throws InvalidInputError. */
export function parseUsers(value: unknown): User[] {
  return parseInput(users, value as z.input<typeof users>).users;
}

const newUser = user.omit({ password: true }).extend({
  name: displayName(NAME_MAX),
  password: z.string().min(8, 'At least 8 characters.').max(1024, 'At most 1024 characters.'),
});

/** Input of `trivium user add`. */
export type NewUser = z.input<typeof newUser>;

/** Returns a user as it is stored: without the password itself. Throws InvalidInputError. */
export async function createUser(input: NewUser): Promise<User> {
  const { password, ...rest } = parseInput(newUser, input);
  return { ...rest, password: await hashPassword(password) };
}

/** Returns the `Viewer.id` of a user of this server. No other issuer's names and no key's ids look like it. */
export function userId(name: string): string {
  return `${USER_ID}${name}`;
}

/** Tells whether an id is one that only users of this server have. */
export function isUserId(id: string): boolean {
  return id.startsWith(USER_ID);
}

const USER_ID = 'user:';

/** Returns the error for a user whose name is taken. */
export function nameTaken(name: string): InvalidInputError {
  return InvalidInputError.of('name', 'TAKEN', `A user "${name}" already exists.`);
}
