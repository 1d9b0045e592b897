/** Diagnostic codes of identities: certificates, keys and who they name. */
import type { CodeTable } from '../../compiler/diagnostic/index.js';

export const CODES: CodeTable = {
  C001: {
    title: 'certificate or key cannot be read',
    help: 'the files are PEM; `weft control ca issue` writes a pair, and `ca.pem` beside it',
  },
  C002: {
    title: 'certificate without an identity of the mesh',
    help: 'it needs one URI name, spiffe://DOMAIN/node/NAME, …/control/NAME or …/operator/NAME',
  },
  C003: {
    title: 'certificate and key are no pair',
    help: 'give the key that the certificate was issued for',
  },
};
