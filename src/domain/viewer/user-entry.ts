import { z } from 'zod';
import { InvalidInputError } from '../error.ts';
import { displayName, parseInput } from '../input.ts';
import { hashPassword } from './password.ts';
import { ROLES, type Role } from './viewer.ts';

/** A user in the users' file, and as `trivium user` and the API create it. */
export interface UserEntry {
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
export function parseUserEntries(value: unknown): UserEntry[] {
  return parseInput(users, value as z.input<typeof users>).users;
}

/** A name of a new user. */
export const newUserName = displayName(NAME_MAX);

/** A password that is being set. */
export const newPassword = z
  .string()
  .min(8, 'At least 8 characters.')
  .max(1024, 'At most 1024 characters.');

const newUser = user.omit({ password: true }).extend({
  name: newUserName,
  password: newPassword,
});

/** Input of `createUserEntry`. */
export type NewUserEntry = z.input<typeof newUser>;

/** Returns a user as the file stores it: without the password itself. Throws InvalidInputError. */
export async function createUserEntry(input: NewUserEntry): Promise<UserEntry> {
  const { password, ...rest } = parseInput(newUser, input);
  return { ...rest, password: await hashPassword(password) };
}

/** Returns a new password. Throws InvalidInputError, naming `field`. */
export function parsePassword(field: string, password: string): string {
  parseInput(z.object({ [field]: newPassword }), { [field]: password });
  return password;
}

/** Returns the error for a user whose name is taken. */
export function nameTaken(name: string): InvalidInputError {
  return InvalidInputError.of('name', 'TAKEN', `A user "${name}" already exists.`);
}
