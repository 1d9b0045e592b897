/** The inputs between workloads of one world: those that a node could see today. Strangers may come from anywhere. */
import type { SideName } from '../../compiler/abi/index.js';
import { attributeText, serviceMembers, type Workload, type World } from '../discovery/index.js';
import { NONE } from './diagram.js';
import { serviceOf } from './feasible.js';
import { type Field, knownField, serviceField, type TextField } from './field.js';
import type { Guard, Guards } from './guards.js';

const SIDES: readonly SideName[] = ['source', 'destination'];

function attributesOf(fields: readonly Field[], side: SideName): readonly TextField[] {
  return fields.flatMap((field) =>
    field.kind === 'text' && 'side' in field.of && field.of.side === side ? [field] : [],
  );
}

function isWorkload(
  guards: Guards,
  workload: Workload,
  side: SideName,
  fields: readonly Field[],
): Guard {
  return attributesOf(fields, side).reduce<Guard>(
    (all, field) => {
      if (!('side' in field.of)) return all;
      const { attribute, key } = field.of;
      const text = attributeText(workload, side, attribute, { key, trust: 'address' });
      const holds =
        text === null
          ? guards.absent(field)
          : guards.text(field, { op: 'is', text, ignoresCase: false });
      return guards.and(all, holds);
    },
    guards.flag(knownField(side)),
  );
}

/** Asked of a survey, the classes tell the world's workloads apart; asked of a space, it is the set. */
export function knownWorld(guards: Guards, world: World, fields: readonly Field[]): Guard {
  const services = fields.flatMap(({ kind, name }) =>
    kind === 'flag' && name.startsWith(serviceField('').name) ? [serviceOf(name)] : [],
  );
  const behind = (workload: Workload): Guard =>
    services
      .map((name) => {
        const service = world.services.find((one) => one.name === name);
        const isMember = service !== undefined && serviceMembers(world, service).includes(workload);
        const flag = guards.flag(serviceField(name));
        return isMember ? flag : guards.not(flag);
      })
      .reduce(guards.and, guards.flag(knownField('destination')));
  const [from, to] = SIDES.map((side) =>
    world.workloads
      .map((workload) => {
        const own = isWorkload(guards, workload, side, fields);
        return side === 'destination' ? guards.and(own, behind(workload)) : own;
      })
      .reduce(guards.or, NONE),
  );
  const stranger = guards.not(guards.flag(knownField('source')));
  return guards.and(guards.or(from ?? NONE, stranger), to ?? NONE);
}
