/** Which calls exist where: not every question can be answered at every hook. */
import {
  ABI_IMPORTS,
  type ExportName,
  type ImportName,
  NEEDS_ENDPOINT,
  ROUTE_HOOK,
} from '../abi/index.js';
import type { Registry } from '../frontend/types.js';
import { type AbiCall, type AttributeUse, attributeText } from './abi-call.js';
import { ruleAttributes } from './rule-uses.js';

/** Why a call does not exist in one of the exports that reach it; null where it does. */
export function unavailable(
  name: ImportName,
  call: AbiCall,
  {
    exports,
    registry,
  }: { readonly exports: ReadonlySet<ExportName>; readonly registry: Pick<Registry, 'rules'> },
): string | null {
  for (const hook of exports) {
    if (!ABI_IMPORTS[name].exports.includes(hook))
      return `\`${name}\` does not exist in \`${hook}\``;
    if (!ROUTE_HOOK.includes(hook)) continue;
    const use = attributesOf(name, call, registry).find(({ side }) => side === 'destination');
    if (use === undefined) continue;
    const why = 'the endpoint is chosen only after it';
    return `\`${attributeText(use)}\` does not exist in \`${hook}\`: ${why}`;
  }
  return null;
}

/** Attributes that a call reads itself. */
function attributesOf(
  name: ImportName,
  call: AbiCall,
  { rules }: Pick<Registry, 'rules'>,
): readonly AttributeUse[] {
  if (call.op === 'rules') return ruleAttributes(rules[call.list]).map(({ use }) => use);
  return call.op === 'attribute' && NEEDS_ENDPOINT.includes(name) ? [call.use] : [];
}
