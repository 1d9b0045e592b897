/** Why no connection to a control plane stands, in words. The library tells its reason to a call alone, so one is made. */
import { type Client, Metadata } from '@grpc/grpc-js';

/** How long the reason may take, in milliseconds: it is there already, or nobody answered. */
const REASON_MS = 100;

/** The library's words without what says nothing to an operator: classes of errors, times, places in OpenSSL's source. */
function plainly(reason: string): string {
  if (reason.startsWith('Failed to connect')) return 'it ends the connection';
  const [, tls] = /:SSL routines:[^:]*:([^:]+):/.exec(reason) ?? [];
  return tls === undefined ? reason.replace(/^Error: /, '') : `no TLS is agreed on: ${tls}`;
}

/** The last fault of a client that does not connect; `otherwise` where there is none. */
export function connectFault(client: Client, otherwise: string): Promise<string> {
  const same = (bytes: Buffer): Buffer => bytes;
  const options = { deadline: Date.now() + REASON_MS };
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      ...(['/weft.control.v1.Admin/None', same, same, Buffer.alloc(0)] as const),
      ...([new Metadata(), options] as const),
      (error) => {
        const [, last] = /Last error: (.*?)\. Resolution note/s.exec(error?.details ?? '') ?? [];
        resolve(last === undefined ? otherwise : plainly(last));
      },
    );
  });
}
