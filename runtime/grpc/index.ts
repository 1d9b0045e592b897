export { type MethodsOf, methodsOf } from './methods-of.js';
