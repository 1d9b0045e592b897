/** Faults of certificates, keys and identities. Guarded by `code`, never by class. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly code: string;
  readonly help: string | null;
  constructor(code: string, message: string, help: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.help = help;
  }
}
