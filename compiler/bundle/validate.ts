/** The shape of the validator under gen/, which ajv wrote: it stops at the first fault. */
export interface Validate {
  (value: unknown): boolean;
  readonly errors?: readonly { readonly instancePath: string; readonly message?: string }[] | null;
}
