/** Elements as expressions. Texts are texts: nothing here reads HTML. */
export type Child = Node | string | null;

/** Makes an element of a class with its children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  names: string,
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (names !== '') element.className = names;
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The element that a selector finds in index.html. */
export function find<T extends HTMLElement>(selector: string, kind: new () => T): T {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`index.html lacks ${selector}`);
  return found;
}
