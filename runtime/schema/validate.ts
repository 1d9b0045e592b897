/** The shape of the validators under gen/, which ajv wrote: strict, all errors, with values. */
export interface SchemaError {
  readonly instancePath: string; // JSON pointer
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
  readonly parentSchema?: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
}
export interface Validate {
  (value: unknown): boolean;
  readonly errors?: readonly SchemaError[] | null;
}
