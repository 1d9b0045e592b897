/** Which files of a project are tests. */

/** Whether a file is a scenario by its name. */
export function isScenario(name: string): boolean {
  return /(^|[./])scenario\.ya?ml$/.test(name);
}

/** Whether a file is tests in AssemblyScript by its name. */
export function isTestFile(name: string): boolean {
  return name.endsWith('.test.ts');
}

/** Whether what a folder has is a test, or a folder that may hold some: hidden ones are others', or what builds keep. */
export function isTestOrFolder(entry: { readonly name: string; isDirectory(): boolean }): boolean {
  const { name } = entry;
  if (name.startsWith('.') || name === 'node_modules') return false;
  return entry.isDirectory() || isScenario(name) || isTestFile(name);
}
