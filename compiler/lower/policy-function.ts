/** Names of the functions that a policy's exports become. */
import type { ExportName } from '../abi/index.js';

export type FunctionPart = 'authorize' | 'route' | 'authorize_request' | 'route_request';

export const FUNCTION_PART: Readonly<Record<ExportName, FunctionPart>> = {
  authorizeConnection: 'authorize',
  routeConnection: 'route',
  authorizeRequest: 'authorize_request',
  routeRequest: 'route_request',
};

/** Name of the function that a policy's export becomes. */
export function policyFunction(index: number, part: FunctionPart): string {
  return `p${index}_${part}`;
}
