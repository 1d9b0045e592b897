/** Look-ups in a plan, as the kernel's hash maps have them. */
import type { Address, Plan, PlanFrontend, PlanService, PlanWorkload } from '../discovery/index.js';

/** Finds workloads and frontends of a plan by address. */
export interface PlanIndex {
  readonly plan: Plan;
  readonly workloadAt: (address: Address) => PlanWorkload | null;
  readonly frontendAt: (
    address: Address,
    port: number,
    protocol: number,
  ) => { readonly service: PlanService; readonly frontend: PlanFrontend } | null;
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
  return {
    plan,
    workloadAt: (address) => workloads.get(address.text) ?? null,
    frontendAt: (address, port, protocol) =>
      frontends.get(`${address.text} ${port} ${protocol}`) ?? null,
  };
}
