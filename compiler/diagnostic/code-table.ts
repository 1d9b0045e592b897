/** A room's diagnostic codes, as docs/errors.md lists them. */
export type CodeTable = Readonly<
  Record<
    string,
    {
      readonly title: string;
      /** What the reader can do. */
      readonly help: string;
    }
  >
>;
