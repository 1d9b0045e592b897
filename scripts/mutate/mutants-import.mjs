// Mistakes of imports: each would let through more than was written, or less, without a word.
const identity = 'runtime/import/istio/identity.ts';
const model = 'runtime/import/istio/model.ts';
const suite = 'case/conformance';

export const IMPORT = [
  {
    class: 'import',
    name: 'a DENY rule about requests is dropped on other ports',
    file: model,
    find: "if (action !== 'deny') return FALSE;",
    replace: 'return FALSE;',
    suite,
  },
  {
    class: 'import',
    name: 'an ALLOW rule about requests keeps what is left of it on other ports',
    file: model,
    find: "if (action !== 'deny') return FALSE;",
    replace: '',
    suite,
  },
  {
    class: 'import',
    name: 'a star is a prefix before it is a suffix',
    file: 'runtime/import/text-match.ts',
    find: "if (text.startsWith('*')) return",
    replace: "if (text.startsWith('*') && !text.endsWith('*')) return",
    suite,
  },
  {
    class: 'import',
    name: 'namespaces of peers that nobody vouches for count',
    file: identity,
    find: 'return all(AUTHENTICATED, any(exact,',
    replace: 'return all(any(exact,',
    suite,
  },
  {
    class: 'import',
    name: 'claims of anybody are believed',
    file: 'runtime/import/istio/claims.ts',
    find: 'isVerifier(told),\n    anyMatch(',
    replace: 'anyMatch(',
    suite,
  },
];
