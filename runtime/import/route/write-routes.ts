/** Routes as a policy a service: choices in order, each under a comment with its source. */
import type { Position } from '../../../compiler/diagnostic/index.js';
import { all, type Condition, isFalse, isTrue, layOut } from '../condition.js';
import type { Findings } from '../fields.js';
import { PolicyText, quote, WIDTH } from '../policy-text.js';
import type { Arm, Group, ServiceRoutes, Target } from './model.js';

/** Arms of one split. */
export const MAX_ARMS = 4;
const NONE = 'Route.None';

class Writer {
  readonly #policy: PolicyText;
  readonly #service: string;
  readonly #findings: Findings;
  #lines: string[] = [];
  #ended = false;

  constructor(policy: PolicyText, service: string, findings: Findings) {
    this.#policy = policy;
    this.#service = service;
    this.#findings = findings;
  }

  #arm({ target, at }: Arm): string {
    if (target.kind === 'answer') return this.#policy.declare(target.name, target.call);
    if (target.kind === 'all' && target.service === this.#service && target.edits.length === 0) {
      return NONE;
    }
    if (target.kind === 'all') {
      const message = `the service \`${target.service}\` has several clusters in the world`;
      const help = 'give the world a cluster that holds all of its workloads';
      this.#findings.error('W504', at, message, help);
      return NONE;
    }
    const plain = this.#policy.declare('route', `cluster(${quote(target.name)})`);
    if (target.edits.length === 0) return plain;
    return this.#policy.declare('edited', `edit(${plain})${target.edits.join('')}`);
  }

  #target({ arms, key }: Target): string {
    const over = arms[MAX_ARMS];
    if (over !== undefined) {
      this.#findings.error('W506', over.at, `more than ${MAX_ARMS} ways to go in one rule`);
    }
    const [only] = arms;
    if (only === undefined) return this.#policy.declare('failed', 'respond(500)');
    if (arms.length === 1) return this.#arm(only);
    const texts = arms.map((arm) => {
      const text = this.#arm(arm);
      if (text === NONE) {
        const message = `all endpoints of \`${this.#service}\` beside other ways to go`;
        const help = 'give the world a cluster that holds all of its workloads';
        this.#findings.error('W504', arm.at, message, help);
      }
      return `${text}, ${arm.weight}`;
    });
    return key === null ? `split(${texts.join(', ')})` : `splitBy(${key}, ${texts.join(', ')})`;
  }

  #comment(text: string, { file, line }: Position): void {
    const why = this.#ended ? ': what stands above answers before it' : '';
    this.#lines.push(`  // ${text}, ${file}:${line}${why}`);
  }

  #return(condition: Condition, target: string): void {
    if (this.#ended) return;
    if (isTrue(condition)) {
      this.#lines.push(`  return ${target};`);
      this.#ended = true;
      return;
    }
    const tail = `) return ${target};`;
    const text = layOut(condition, this.#policy, '    ', WIDTH - 6 - tail.length);
    this.#lines.push(
      text.includes('\n') ? `  if (\n    ${text}\n  ${tail}` : `  if (${text}${tail}`,
    );
  }

  group({ guard, choices, clients, otherwise }: Group): void {
    for (const { id, at, client, match, target } of choices) {
      const condition = all(guard, client, match);
      if (isFalse(condition)) {
        this.#lines.push(`  // ${id}, ${at.file}:${at.line}: never holds in the mesh`);
        continue;
      }
      this.#comment(id, at);
      this.#return(condition, this.#target(target));
    }
    if (otherwise === null || this.#ended) return;
    const asked = all(guard, clients);
    if (!isFalse(asked)) this.#return(asked, this.#policy.declare('none', otherwise));
  }

  /** The function; clients that nothing above is for keep what the service does by itself. */
  end(name: string): void {
    if (!this.#ended) this.#lines.push(`  return ${NONE};`);
    this.#policy.add(`export function ${name}: Route {\n${this.#lines.join('\n')}\n}`);
    this.#lines = [];
    this.#ended = false;
  }
}

/** The text of the policy. */
export function writeRoutes(routes: ServiceRoutes, dialect: string, findings: Findings): string {
  const { service, requests, connections } = routes;
  const policy = new PolicyText([`Imported by weft import ${dialect}: routes of ${service}.`]);
  const writer = new Writer(policy, service, findings);
  for (const [groups, name] of [
    [requests, 'routeRequest(request: Request)'],
    [connections, 'routeConnection(connection: Connection)'],
  ] as const) {
    if (groups.length === 0) continue;
    for (const group of groups) writer.group(group);
    writer.end(name);
  }
  return policy.toString();
}
