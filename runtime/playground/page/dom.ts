/** Elements as expressions. Texts are texts: nothing here reads HTML. */
export type Child = Node | string | null;

/** What an element is made with: attributes, and what to do when it is pressed. */
export interface Props {
  readonly class?: string;
  readonly press?: () => void;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Makes an element. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { class: names, press, attributes = {} }: Props,
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (names !== undefined) element.className = names;
  if (tag === 'button') element.setAttribute('type', 'button');
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (press !== undefined) element.addEventListener('click', press);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The element of an id in index.html. */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html lacks #${id}`);
  return found;
}
