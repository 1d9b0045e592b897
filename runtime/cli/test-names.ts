/** Which files of a project are tests. */

/** Whether a file is a scenario by its name. */
export function isScenario(name: string): boolean {
  return /(^|[./])scenario\.ya?ml$/.test(name);
}

/** Whether a file is tests in AssemblyScript by its name. */
export function isTestFile(name: string): boolean {
  return name.endsWith('.test.ts');
}
