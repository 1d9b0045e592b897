/** One item of `tcp` of a VirtualService -> choices about connections to ports that do not carry HTTP. */
import { readBlock } from '../block.js';
import { all, any, type Condition, TRUE, test, testWith } from '../condition.js';
import { Fields } from '../fields.js';
import { findCluster } from '../route/find-cluster.js';
import type { Arm, Choice, Target } from '../route/model.js';
import type { Tree } from '../tree.js';
import { readClient } from './read-http-match.js';
import { type RuleReading, readDestination } from './read-http-rule.js';

function readMatch(tree: Tree, reading: RuleReading): Condition {
  const { findings } = reading;
  const fields = Fields.of(tree, findings, 'an item of `match`');
  if (fields === null) return TRUE;
  const subnets = fields.texts('destinationSubnets') ?? [];
  const blocks = subnets.flatMap((value) => readBlock(value, findings) ?? []);
  const client = readClient(fields, 'connection', findings);
  if (fields.has('sourceSubnet')) {
    const at = fields.place('sourceSubnet');
    findings.error('W504', at, '`sourceSubnet` is looked at by no version of Istio');
  }
  fields.end();
  const inside = testWith(
    (p) => `connection.destination.address.in(${p.cidrs('destinationSubnets', blocks)})`,
  );
  return all(blocks.length === 0 ? TRUE : inside, client);
}

function readTarget(fields: Fields, reading: RuleReading): Target {
  const { findings, services } = reading;
  const list = fields.list('route') ?? [];
  const arms = list.flatMap((tree): Arm[] => {
    const item = Fields.of(tree, findings, 'an item of `route`');
    const destination = item === null ? null : readDestination(item.map('destination'), reading);
    const weight = item?.number('weight')?.number ?? 0;
    item?.end();
    if (destination === null) return [];
    const { service, labels, port, at } = destination;
    const target = findCluster({ service, labels, port, edits: [], at }, services, findings);
    return target === null ? [] : [{ target, weight: list.length === 1 ? 1 : weight, at }];
  });
  const used = arms.filter(({ weight }) => weight > 0);
  if (arms.length === 0 || used.length === 0) {
    findings.error('W503', fields.at, 'a rule needs a `route` of some weight');
  }
  return { arms: used, key: null };
}

/** Ports of the services that carry HTTP are left to the rules about requests. */
function onOtherPorts({ own }: RuleReading): Condition {
  const http = new Set(own.flatMap(({ ports }) => ports.filter((p) => p.http).map((p) => p.port)));
  return all(...[...http].map((port) => test(`connection.destination.port != ${port}`)));
}

/** The choice of one rule. */
export function readTcpRule(tree: Tree, id: string, reading: RuleReading): readonly Choice[] {
  const fields = Fields.of(tree, reading.findings, 'a rule');
  if (fields === null) return [];
  const matches = (fields.list('match') ?? []).map((item) => readMatch(item, reading));
  const target = readTarget(fields, reading);
  fields.end();
  const client = all(reading.clients, onOtherPorts(reading));
  const match = matches.length === 0 ? TRUE : any(...matches);
  return [{ id, at: tree.at, client, match, target }];
}
