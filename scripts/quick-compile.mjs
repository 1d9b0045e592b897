// Flags of Node for runs of tests. They compile many small policies: what V8 makes at once of the compiler's own
// WebAssembly is ready before better code would be (a fifth to a third of the CPU), and less of the rest is collected.
export const QUICK_COMPILE = ['--liftoff-only', '--max-semi-space-size=64'];
