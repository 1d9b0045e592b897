/** What esbuild makes of files that are no code. */
declare module '*.wasm' {
  const bytes: Uint8Array;
  export = bytes;
}
