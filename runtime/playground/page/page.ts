/** Entry of the page of `weft playground`: a project in the editor, its answers beside it, again at each change. */
import { messageOf } from '../../../compiler/diagnostic/index.js';
import type { ExplanationDocument } from '../../explain/index.js';
import {
  type Answer,
  type CaseAnswer,
  CONFIG_FILE,
  type Example,
  type NewCase,
  readShared,
  type Shared,
  scenarioFile,
  shareText,
} from '../index.js';
import { byId, h } from './dom.js';
import { Editor } from './editor.js';
import { showCases, totalsText } from './show-cases.js';
import { showExplanation } from './show-explanation.js';
import { type GoTo, showFindings } from './show-findings.js';
import { showListing, showTables } from './show-program.js';
import { showTabs } from './tabs.js';
import { WorkerLink } from './worker-link.js';

/** A change is answered when nobody has typed for so long. */
const QUIET_MS = 200;

const VIEWS = [
  ['explanation', 'Explanation'],
  ['tables', 'Tables'],
  ['asm', 'eBPF'],
  ['ir', 'IR'],
  ['plan', 'Plan'],
] as const;
type View = (typeof VIEWS)[number][0];

const parts = {
  examples: byId('examples', HTMLSelectElement),
  share: byId('share', HTMLButtonElement),
  status: byId('status', HTMLElement),
  files: byId('files', HTMLElement),
  editor: byId('editor', HTMLElement),
  findings: byId('findings', HTMLElement),
  totals: byId('totals', HTMLElement),
  cases: byId('cases', HTMLElement),
  add: byId('add', HTMLFormElement),
  places: byId('places', HTMLDataListElement),
  views: byId('views', HTMLElement),
  view: byId('view', HTMLElement),
};

let files: Record<string, string> = {};
let open = '';
let view: View = 'explanation';
let chosen: string | null = null;
let answer: Answer | null = null;
let explained: { readonly id: string; readonly document: ExplanationDocument } | null = null;

const link = new WorkerLink(new URL('./worker.js', import.meta.url));
const editor = new Editor({
  parent: parts.editor,
  nonce: document.querySelector<HTMLMetaElement>('meta[name=weft-nonce]')?.content ?? '',
  onChange: (path, text) => {
    files[path] = text;
    changed();
  },
});

function say(text: string): void {
  parts.status.textContent = text;
}

/** Policies first, then what they are asked about. */
function fileNames(): readonly string[] {
  const rank = (name: string): number => (name.endsWith('.ts') ? 0 : name === CONFIG_FILE ? 2 : 1);
  return Object.keys(files).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function showFiles(): void {
  const faults = new Set(
    answer?.diagnostics.filter((d) => d.severity === 'error').map(({ file }) => file),
  );
  const tabs = fileNames().map((id) => ({
    id,
    label: [
      id.split('/').at(-1) ?? id,
      faults.has(id)
        ? h('span', { class: 'fault', attributes: { title: 'has errors' } }, ' ●')
        : null,
    ],
  }));
  showTabs(parts.files, { tabs, chosen: open, panel: 'editor' }, openFile);
}

function openFile(path: string): void {
  open = path;
  editor.open(path, files[path] ?? '');
  editor.mark(answer?.diagnostics ?? []);
  showFiles();
}

const goTo: GoTo = (file, line, column) => {
  if (files[file] === undefined) return;
  if (file !== open) openFile(file);
  editor.goTo(line, column);
};

function showView(): void {
  const tabs = VIEWS.map(([id, label]) => ({ id, label: [label] }));
  showTabs(parts.views, { tabs, chosen: view, panel: 'view' }, (id) => {
    view = VIEWS.find(([name]) => name === id)?.[0] ?? view;
    showView();
  });
  if (view === 'tables') showTables(parts.view, answer?.tables ?? []);
  else if (view !== 'explanation') showListing(parts.view, answer?.program[view] ?? null, goTo);
  else if (explained !== null) showExplanation(parts.view, explained.id, explained.document, goTo);
  else {
    const text = answer === null ? '' : 'Choose a request to see why it is decided so.';
    parts.view.replaceChildren(h('p', { class: 'empty' }, text));
  }
}

function showAnswer(): void {
  if (answer === null) return;
  showFiles();
  editor.mark(answer.diagnostics);
  showFindings(parts.findings, answer.diagnostics, goTo);
  parts.totals.textContent = totalsText(answer);
  showCases(parts.cases, { answer, chosen }, choose);
  parts.places.replaceChildren(
    ...answer.places.map((value) => h('option', { attributes: { value } })),
  );
  showView();
}

let busy = 0;
/** Counts what is under way: while there is any, what is shown may be of what was. */
function markBusy(step: 1 | -1): void {
  busy += step;
  document.body.dataset['state'] = busy > 0 ? 'busy' : 'ready';
}

async function explainChosen(): Promise<void> {
  const id = chosen;
  if (id === null) {
    explained = null;
    return;
  }
  markBusy(1);
  const reply = await link.ask({ kind: 'explain', id });
  markBusy(-1);
  if (id !== chosen) return;
  if (reply.kind === 'fault') say(reply.message);
  explained =
    reply.kind === 'explain' && reply.explanation !== null
      ? { id, document: reply.explanation }
      : null;
  if (view === 'explanation') showView();
}

function choose({ id }: CaseAnswer): void {
  chosen = id;
  view = 'explanation';
  showAnswer();
  void explainChosen();
}

let isAsking = false;
let isStale = false;

/** Asks until the answer is of what the files say now. */
async function answerNow(): Promise<void> {
  isStale = true;
  if (isAsking) return;
  isAsking = true;
  markBusy(1);
  while (isStale) {
    isStale = false;
    const since = performance.now();
    const reply = await link.ask({ kind: 'answer', files: { ...files } });
    if (reply.kind !== 'answer') {
      say(reply.kind === 'fault' ? reply.message : 'answered out of turn');
      continue;
    }
    answer = reply.answer;
    const { cases, digest, diagnostics } = answer;
    if (!cases.some(({ id }) => id === chosen)) chosen = cases[0]?.id ?? null;
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
    const took = `${Math.round(performance.now() - since)} ms`;
    say(
      digest === null
        ? `${errors} ${errors === 1 ? 'error' : 'errors'}`
        : `Built in ${took}: ${digest.slice(0, 19)}…`,
    );
    parts.status.dataset['digest'] = digest ?? '';
    await explainChosen();
    showAnswer();
  }
  isAsking = false;
  markBusy(-1);
}

let timer: ReturnType<typeof setTimeout> | null = null;
function changed(): void {
  if (timer === null) markBusy(1);
  else clearTimeout(timer);
  timer = setTimeout(() => {
    timer = null;
    void answerNow();
    markBusy(-1);
  }, QUIET_MS);
}

function load({ files: given, case: id }: Shared): void {
  files = { ...given };
  chosen = id;
  answer = null;
  explained = null;
  editor.clear();
  openFile(fileNames()[0] ?? CONFIG_FILE);
  void answerNow();
}

parts.share.addEventListener('click', async () => {
  location.hash = await shareText({ files, case: chosen });
  try {
    await navigator.clipboard.writeText(location.href);
    say('The link is in the clipboard.');
  } catch {
    say('The address bar has the link.');
  }
});

parts.add.addEventListener('submit', async (event) => {
  event.preventDefault();
  const data = new FormData(parts.add);
  const field = (name: string): string => String(data.get(name) ?? '').trim();
  const method = field('method');
  const added: NewCase = {
    from: field('from'),
    to: field('to'),
    protocol: method === 'udp' ? 'udp' : 'tcp',
    method: method === 'udp' ? '' : method,
    path: method === '' || method === 'udp' ? '' : field('path') || '/',
    headers: field('headers'),
  };
  const path = scenarioFile(files) ?? 'scenario.yaml';
  const reply = await link.ask({ kind: 'add', text: files[path] ?? '', added });
  if (reply.kind !== 'add') {
    say(reply.kind === 'fault' ? reply.message : 'answered out of turn');
    return;
  }
  files[path] = reply.text;
  if (open === path) openFile(path);
  chosen = reply.id;
  view = 'explanation';
  void answerNow();
});

async function given(name: string): Promise<unknown> {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.json();
}

async function start(): Promise<void> {
  const examples = (await given('projects.json')) as readonly Example[];
  parts.examples.replaceChildren(
    ...examples.map(({ name }, i) => h('option', { attributes: { value: String(i) } }, name)),
  );
  const loadExample = (): void => {
    const example = examples[Number(parts.examples.value)];
    if (example !== undefined) load({ files: example.files, case: null });
  };
  parts.examples.addEventListener('change', () => {
    history.replaceState(null, '', location.pathname);
    loadExample();
  });
  const fromAddress = async (): Promise<boolean> => {
    const shared = await readShared(location.hash.slice(1));
    if (shared !== null) load(shared);
    else if (location.hash !== '') say('The link is damaged.');
    return shared !== null;
  };
  addEventListener('hashchange', () => {
    // What is shared from here is here already.
    if (document.activeElement !== parts.share) void fromAddress();
  });
  await link.ready;
  if (!(await fromAddress())) loadExample();
}

start().catch((error: unknown) => {
  say(`The playground does not start: ${messageOf(error)}`);
});
