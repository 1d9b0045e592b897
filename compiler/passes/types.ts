/** What a pass is. */
import type { Func, Module } from '../ir/index.js';

/** Rewrites one function in place; true where it changed anything. */
export type FunctionPass = (func: Func, module: Module) => boolean;
/** Rewrites a module in place; true where it changed anything. */
export type ModulePass = (module: Module) => boolean;
