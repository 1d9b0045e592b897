/** `weft deploy`: brings a bundle to the nodes of a cluster in stages. */
import {
  BUNDLE_ARGUMENT,
  type CommandSpec,
  flagOption,
  PLAIN_HTTP_OPTIONS,
} from '../command-spec.js';
import { CONTROL_OPTIONS, neededControl, withAdmin } from '../control-place.js';
import { EXIT } from '../exit.js';
import { CliError } from '../failure.js';
import { PLAN_OPTIONS, planText } from '../plan-options.js';

export const DEPLOY_COMMAND: CommandSpec = {
  name: 'deploy',
  summary: 'roll a bundle out to the nodes of a cluster',
  description:
    'Gives the bundle with its signatures to a control plane, begins a rollout and shows it until it is done,\nturned round or paused. Without stages it goes to all nodes at once. Ctrl-C ends the view, not the rollout.\nExit 5 where a gate turned it round, 6 where nodes refuse its signatures, 3 where it may not begin.',
  example:
    '$ weft deploy shop.weft --control 10.0.0.1:7443 --shadow 5m --canary 10%\nshop 3: done\n  sha256:aa12bc34de56… -> sha256:bb12bc34de56…\n  done  shadow\n  done  canary 10 %\n  done  all\n  nodes: 8 on the new bundle, 0 on the old one',
  arguments: [{ syntax: '<BUNDLE>', description: BUNDLE_ARGUMENT }],
  options: [
    ...PLAN_OPTIONS,
    { flags: '--detach', description: 'end as soon as the rollout has begun' },
    ...PLAIN_HTTP_OPTIONS,
    ...CONTROL_OPTIONS,
  ],
  formats: ['text', 'json'],
  async run(env, input) {
    const place = neededControl(env, input);
    const { text, file } = planText(env, input);
    const { readPlan } = await import('../../rollout/index.js');
    const { spec, diagnostics } = readPlan(text, file);
    const shown = (name: string): string | null => (name === file ? text : null);
    if (spec === null) throw new CliError(diagnostics, EXIT.findings, shown);
    const { openBundle } = await import('../open-bundle.js');
    const { encodeArchive } = await import('../../../compiler/bundle/index.js');
    const { followRollout, rolloutResult } = await import('../follow-rollout.js');
    const { plainHttpAccess } = await import('../bundle-place.js');
    const opened = await openBundle(env, input.arguments[0] ?? '.', plainHttpAccess(env, input));
    const signatures =
      opened.signatures.length === 0 ? null : Buffer.from(`${opened.signatures.join('\n')}\n`);
    return withAdmin(env, place, async (admin) => {
      const { digest, name } = await admin.putBundle(encodeArchive(opened.image), signatures);
      const begun = await admin.apply({ name, digest, plan: text });
      if (!flagOption(input, 'detach')) return followRollout(env, admin, begun);
      return { ...rolloutResult(begun, await admin.state()), exit: EXIT.ok };
    });
  },
};
