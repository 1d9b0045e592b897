/** The editor: one view, a state a file, so that each keeps its history and its place. */
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { javascript } from '@codemirror/lang-javascript';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, lintKeymap, type Diagnostic as Mark, setDiagnostics } from '@codemirror/lint';
import { EditorState, type Extension, type Text } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { classHighlighter } from '@lezer/highlight';
import type { Diagnostic } from '../../../compiler/diagnostic/index.js';

export interface EditorOptions {
  readonly parent: HTMLElement;
  /** Of the page's policy: the editor writes styles. */
  readonly nonce: string;
  readonly onChange: (path: string, text: string) => void;
}

/** Where a finding stands in a text: what is no longer there is told at the end. */
function markOf(text: Text, found: Diagnostic): Mark {
  const line = text.line(Math.min(Math.max(found.line ?? 1, 1), text.lines));
  const from = Math.min(line.from + (found.column ?? 1) - 1, line.to);
  const last = text.line(Math.min(Math.max(found.endLine ?? line.number, line.number), text.lines));
  const end = found.endColumn === null ? from + 1 : last.from + found.endColumn - 1;
  const to = Math.min(Math.max(end, from + 1), last.to);
  const help = found.help === null ? '' : `\n${found.help}`;
  const message = `${found.code}: ${found.message}${help}`;
  return { from, to: Math.max(to, from), severity: found.severity, message };
}

export class Editor {
  readonly #view: EditorView;
  readonly #states = new Map<string, EditorState>();
  readonly #shared: readonly Extension[];
  #path = '';

  constructor({ parent, nonce, onChange }: EditorOptions) {
    this.#shared = [
      EditorView.cspNonce.of(nonce),
      lineNumbers(),
      lintGutter(),
      history(),
      drawSelection(),
      highlightActiveLine(),
      bracketMatching(),
      syntaxHighlighting(classHighlighter),
      // The tab key leaves the editor: whoever has no mouse must get out again.
      keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) onChange(this.#path, update.state.doc.toString());
      }),
    ];
    // The nonce must be there from the first state on.
    this.#view = new EditorView({ parent, state: this.#stateOf('', '') });
  }

  #stateOf(path: string, text: string): EditorState {
    const language = path.endsWith('.ts') ? javascript({ typescript: true }) : yaml();
    const label = EditorView.contentAttributes.of({ 'aria-label': path });
    return EditorState.create({ doc: text, extensions: [...this.#shared, language, label] });
  }

  /** Forgets every file. */
  clear(): void {
    this.#states.clear();
    this.#path = '';
  }

  /** Shows a file, as it was left where its text is the same. */
  open(path: string, text: string): void {
    if (this.#path !== '') this.#states.set(this.#path, this.#view.state);
    const kept = this.#states.get(path);
    this.#path = path;
    this.#view.setState(kept?.doc.toString() === text ? kept : this.#stateOf(path, text));
  }

  /** Marks the findings of the file that is shown. */
  mark(findings: readonly Diagnostic[]): void {
    const { doc } = this.#view.state;
    const own = findings.filter(({ file }) => file === this.#path);
    this.#view.dispatch(
      setDiagnostics(
        this.#view.state,
        own.map((one) => markOf(doc, one)),
      ),
    );
  }

  /** Puts the cursor at a place of the file that is shown. */
  goTo(line: number, column: number): void {
    const { doc } = this.#view.state;
    const found = doc.line(Math.min(Math.max(line, 1), doc.lines));
    const anchor = Math.min(found.from + column - 1, found.to);
    const effects = EditorView.scrollIntoView(anchor, { y: 'center' });
    this.#view.dispatch({ selection: { anchor }, effects });
    this.#view.focus();
  }
}
