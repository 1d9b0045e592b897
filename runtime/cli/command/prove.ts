/** `weft prove`: whether claims hold for all traffic that there can be. */
import type { ClaimResult } from '../../prove/index.js';
import type { CommandSpec, Input, Result } from '../command-spec.js';
import type { Env } from '../env.js';
import { EXIT } from '../exit.js';

async function prove(env: Env, input: Input): Promise<Result> {
  const [shown = '.', file = null] = input.arguments;
  const { runProve } = await import('../prove-run.js');
  const { exampleDocument } = await import('../formal-diff.js');
  const { claimLines } = await import('../claim-lines.js');
  const { subject, results, diagnostics } = await runProve(env, shown, file);
  const lines = results.flatMap(claimLines);
  const count = (status: ClaimResult['status']): number =>
    results.filter((one) => one.status === status).length;
  const summary = {
    proved: count('proved'),
    refuted: count('refuted'),
    undecided: count('undecided'),
    empty: count('empty'),
  };
  const total = `${summary.proved} proved, ${summary.refuted} refuted, ${summary.undecided} undecided, ${summary.empty} empty`;
  const isOpen = summary.undecided + summary.empty > 0;
  return {
    exit: summary.refuted > 0 ? EXIT.denied : isOpen ? EXIT.unsupported : EXIT.ok,
    document: {
      bundle: subject.digest,
      claims: results.map((one) =>
        one.status === 'refuted' ? { ...one, example: exampleDocument(one.example) } : one,
      ),
      summary,
    },
    text: [...lines, total].join('\n'),
    diagnostics,
    sources: subject.sources,
  };
}

export const PROVE_COMMAND: CommandSpec = {
  name: 'prove',
  summary: 'check claims for all traffic that there can be',
  description:
    'Claims stand in files *.prove.ts beside the policies and are written as policies are: where one says Deny nothing may\nbe let in, where it says Allow all must be, where it says Pass nothing is claimed. Each is checked for every connection\nand request that there can be, from and to every workload that there could be, and is proved, refuted with a\ncounterexample that was really decided, or undecided with the line that is not looked into. A claim that nothing\nmeets is empty.\n\nA connection that is let be, since its requests are judged one by one (reason `requests`), counts as let in: of what\nit carries `authorizeRequest` claims.\n\nExit code 2 where one is refuted, else 4 where one is undecided or empty.',
  example:
    '$ weft prove shop\nproved     shop/payments.prove.ts:4  never let in\n1 proved, 0 refuted, 0 undecided, 0 empty\n\n$ cat shop/payments.prove.ts\nimport { Connection, Verdict } from "weft";\nexport function authorizeConnection(c: Connection): Verdict {\n  const isPaid = c.destination.label("app").is("payments");\n  if (isPaid && !c.source.namespace.is("prod")) return Verdict.Deny;\n  return Verdict.Pass;\n}',
  arguments: [
    { syntax: '[BUNDLE]', description: 'a bundle file or a project folder (default: this folder)' },
    {
      syntax: '[CLAIMS]',
      description: 'one file of claims (default: all *.prove.ts of the folder)',
    },
  ],
  options: [],
  formats: ['text', 'json'],
  run: prove,
};
