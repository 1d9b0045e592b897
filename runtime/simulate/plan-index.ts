/** Look-ups in a plan, as the kernel's hash maps have them. */
import {
  type Address,
  type Plan,
  type PlanFrontend,
  type PlanService,
  type PlanWorkload,
  PROTOCOL,
} from '../discovery/index.js';

/** Finds workloads and frontends of a plan by address. */
export interface PlanIndex {
  readonly plan: Plan;
  readonly workloadAt: (address: Address) => PlanWorkload | null;
  readonly frontendAt: (
    address: Address,
    port: number,
    protocol: number,
  ) => { readonly service: PlanService; readonly frontend: PlanFrontend } | null;
  /** Whether requests to a place are judged one by one, where policies about requests are attached. */
  readonly isHttp: (address: Address, port: number, protocol: number) => boolean;
}

/** Indexes a plan. */
export function indexPlan(plan: Plan): PlanIndex {
  const workloads = new Map<string, PlanWorkload>();
  for (const workload of plan.workloads) {
    for (const address of workload.addresses) workloads.set(address.text, workload);
  }
  const frontends = new Map<string, { service: PlanService; frontend: PlanFrontend }>();
  for (const service of plan.services) {
    for (const frontend of service.frontends) {
      const key = `${frontend.address.text} ${frontend.port} ${frontend.protocol}`;
      frontends.set(key, { service, frontend });
    }
  }
  const httpMembers = new Set(plan.httpMembers.map((m) => `${m.address.text} ${m.port}`));
  const frontendAt: PlanIndex['frontendAt'] = (address, port, protocol) =>
    frontends.get(`${address.text} ${port} ${protocol}`) ?? null;
  return {
    plan,
    workloadAt: (address) => workloads.get(address.text) ?? null,
    frontendAt,
    isHttp: (address, port, protocol) =>
      frontendAt(address, port, protocol)?.frontend.http ??
      (protocol === PROTOCOL.tcp && httpMembers.has(`${address.text} ${port}`)),
  };
}
