/**
 * Stands on the other side of `==` where there is none: a part of a request, an address, a side or a connection is
 * a number to the compiler, and comparing those numbers would say nothing about what they stand for. Nothing is one.
 */
// @ts-ignore: a decorator of AssemblyScript
@final @unmanaged
export class Incomparable {}
