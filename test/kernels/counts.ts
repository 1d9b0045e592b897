/**
 * How many instructions the verifier goes through for each program of each object, as golden files:
 * what they look like, and when a kernel's answer still is what a file says.
 */

/** One program as one kernel took it, or refused it. */
export interface Measured {
  /** What was loaded: an object of bpf/, or a sample with the part that it was joined with. */
  readonly object: string;
  readonly program: string;
  /** Instructions that the verifier went through; null where it refused. */
  readonly count: number | null;
  /** Why it refused: the reason first, then the end of its log. */
  readonly refusal: readonly string[];
}

/** What counts depend on besides the sources. */
export interface Maker {
  readonly kernel: string;
  readonly clang: string;
  readonly mayGoto: boolean;
}

export interface Golden {
  readonly maker: Maker;
  /** `object program` -> count. */
  readonly counts: ReadonlyMap<string, number>;
}

/** A count may differ from the file's by the larger of these without being a finding. */
export const TOLERANCE = { share: 0.1, instructions: 100 } as const;

const keyOf = ({ object, program }: Measured): string => `${object} ${program}`;

/** The text of a golden file, in the order of measuring; what was refused is not in it. */
export function formatCounts(maker: Maker, measured: readonly Measured[]): string {
  const lines = measured.flatMap((m) => (m.count === null ? [] : [`${keyOf(m)} ${m.count}`]));
  const mayGoto = maker.mayGoto ? 'yes' : 'no';
  return `# kernel ${maker.kernel}\n# clang ${maker.clang}\n# may_goto ${mayGoto}\n${lines.join('\n')}\n`;
}

/** Reads a golden file. Throws where a line is none of its own. */
export function parseCounts(text: string): Golden {
  const facts = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const line of text.split('\n').filter((l) => l !== '')) {
    const fact = /^# (\S+) (.+)$/.exec(line);
    const count = /^(\S+ \S+) (\d+)$/.exec(line);
    if (fact) facts.set(fact[1] ?? '', fact[2] ?? '');
    else if (count) counts.set(count[1] ?? '', Number(count[2]));
    else throw new Error(`no line of a golden file: ${line}`);
  }
  const [kernel = '', clang = '', mayGoto] = ['kernel', 'clang', 'may_goto'].map((name) =>
    facts.get(name),
  );
  return { maker: { kernel, clang, mayGoto: mayGoto === 'yes' }, counts };
}

function isNear(count: number, golden: number): boolean {
  const allowed = Math.max(TOLERANCE.instructions, golden * TOLERANCE.share);
  return Math.abs(count - golden) <= allowed;
}

/**
 * What a kernel does otherwise than a file says, one line each; refusals with the end of the
 * verifier's log. `byCount` false: only whether each program that the file names loads, and no other.
 */
export function compareCounts(
  golden: Golden,
  measured: readonly Measured[],
  byCount = true,
): readonly string[] {
  const seen = new Set(measured.map(keyOf));
  const gone = [...golden.counts.keys()].filter((key) => !seen.has(key));
  const findings = measured.flatMap((m): string[] => {
    const key = keyOf(m);
    if (m.count === null) return [`${key}: refused: ${m.refusal.join('\n    ')}`];
    const before = golden.counts.get(key);
    if (before === undefined) return [`${key}: ${m.count} instructions, and not in the file`];
    if (!byCount || isNear(m.count, before)) return [];
    return [`${key}: ${m.count} instructions, the file says ${before}`];
  });
  return [...findings, ...gone.map((key) => `${key}: in the file, and was not loaded`)];
}
