/** The credentials of one request. */
export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of temporary credentials only. */
  sessionToken?: string;
}

/** Where the credentials of each request come from. */
export interface S3CredentialSource {
  /** Returns the credentials as they are now. */
  current(): Promise<S3Credentials>;
  /** Reads the credentials again, because the store has refused the current ones, and returns them. */
  reload(): Promise<S3Credentials>;
}

/** Creates a source of credentials that never change. */
export function fixedCredentials(credentials: S3Credentials): S3CredentialSource {
  return { current: async () => credentials, reload: async () => credentials };
}
