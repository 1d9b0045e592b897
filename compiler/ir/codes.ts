/** Diagnostics of the step from WASM to IR: what the decide phase may not do. */
import type { CodeTable } from '../diagnostic/index.js';

export const CODES: CodeTable = {
  I101: {
    title: 'floating point in the decide phase',
    help: 'the kernel has no floating point: use integers (`number` is floating point, `u32` is not), for example thousandths',
  },
  I102: {
    title: 'write to memory in the decide phase',
    help: 'nothing is kept from one decision to the next: what stands at the top level is read only. A decision writes variables, objects and arrays of its own, as `const counts = new StaticArray<u32>(3)`, at up to 32 places; lists that grow (`push`) and Maps are filled at the top level',
  },
  I103: {
    title: 'memory growth in the decide phase',
    help: 'a decision makes objects and `StaticArray`s of constant size, in a loop only where constants count at most 32 turns. Texts, lists that may grow (`u32[]`) and Maps are made at the top level: write a `StaticArray<u32>`, and compare the parts of a text each by itself',
  },
  I104: {
    title: 'write to a static variable in the decide phase',
    help: 'a policy may not write static state while it decides: use a local variable',
  },
  I105: {
    title: 'call of a function that is not known at build time',
    help: 'call the function by name, or select between two calls with an if',
  },
  I106: {
    title: 'recursive call with too much to keep',
    help: 'a function needs at most 14 values behind a call that leads back to it: compute them behind it, or write a loop',
  },
  I107: {
    title: 'loop without an exit',
    help: 'give the loop a condition or a break that is reachable',
  },
  I108: {
    title: 'memory too large',
    help: 'a policy has at most 512 MiB of memory after its configure phase: put large sets into tables',
  },
  I109: {
    title: 'unknown import',
    help: 'a policy may import only what the module `weft` offers',
  },
  I110: {
    title: 'policy too large',
    help: 'move repeated code into a function with at most three parameters, or rules into a table',
  },
  I111: {
    title: 'module that cannot be read',
    help: 'use only integer instructions: no SIMD, threads, exceptions or references',
  },
};
