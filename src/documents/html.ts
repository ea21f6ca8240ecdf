/** Text that is HTML already; any other is escaped where it is put in. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | readonly Part[] | null | undefined;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function textOf(part: Part): string {
  if (part === null || part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(textOf).join('');
  return String(part).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** HTML with parts put in: what is not HTML itself is escaped, lists are joined, null is nothing. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(strings.map((string, index) => string + textOf(parts[index])).join(''));

/** Parts with something between each two. */
export const joined = (parts: readonly Html[], between: string): Html =>
  new Html(parts.map(textOf).join(textOf(between)));

/** `code` and *stress* within a line. */
function line(text: string): Html[] {
  return text.split(/(`[^`]+`|\*[^*\s]+\*)/).map((piece) => {
    if (/^`.+`$/.test(piece)) return html`<code>${piece.slice(1, -1)}</code>`;
    return /^\*.+\*$/.test(piece) ? html`<em>${piece.slice(1, -1)}</em>` : html`${piece}`;
  });
}

const cells = (row: string): string[] =>
  row
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());

/** A table of rows, the first of which is its head. */
export function table(head: readonly string[], rows: readonly (readonly Part[])[]): Html {
  return html`<div class="wide"><table><thead><tr>${head.map((cell) => html`<th>${cell}</th>`)}</tr></thead><tbody>${rows.map(
    (row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}

/** The little Markdown that descriptions are written in: paragraphs, tables, `code` and *stress*. */
export function prose(text: string): Html[] {
  return text.split(/\n{2,}/).map((block) => {
    const lines = block.split('\n');
    const [head, , ...rows] = lines;
    if (!head?.startsWith('|')) return html`<p>${lines.flatMap((each) => [...line(each), html` `])}</p>`;
    return table(
      cells(head),
      rows.map((row) => cells(row).map(line)),
    );
  });
}
