import type { Thing } from './nodes.ts';

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** Script block; everything beyond ASCII escaped where the charset is narrow, and `</` never left as it is. */
export function jsonLdBlock(
  nodes: readonly Thing[],
  form: 'array' | 'graph' | 'single',
  how: { readonly ascii: boolean; readonly oneLine: boolean },
): string {
  const context = 'http://schema.org';
  const value =
    form === 'graph'
      ? { '@context': context, '@graph': nodes }
      : form === 'single' && nodes.length === 1
        ? { '@context': context, ...nodes[0] }
        : nodes.map((node) => ({ '@context': context, ...node }));
  let json = JSON.stringify(value, undefined, how.oneLine ? 0 : 1).replaceAll('</', '<\\/');
  if (how.ascii)
    json = json.replace(/[^\x20-\x7e\n]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `<script type="application/ld+json">${json}</script>`;
}

/** The same as microdata, half of it hidden in meta and link elements, as mails do. */
export function microdataBlock(nodes: readonly Thing[]): string {
  return nodes.map((node) => scope(node)).join('\n');
}

function scope(thing: Thing, property?: string): string {
  const own = property === undefined ? '' : ` itemprop="${property}"`;
  const inner = Object.entries(thing)
    .filter(([name, value]) => name !== '@type' && value !== undefined)
    .map(([name, value]) => {
      if (typeof value === 'object') return scope(value, name);
      const text = value as string;
      if (/^https?:/.test(text)) return `<link itemprop="${name}" href="${escapeHtml(text)}"/>`;
      return name === 'name'
        ? `<span itemprop="${name}">${escapeHtml(text)}</span>`
        : `<meta itemprop="${name}" content="${escapeHtml(text)}"/>`;
    });
  return `<div itemscope itemtype="http://schema.org/${thing['@type']}"${own}>\n${inner.join('\n')}\n</div>`;
}

/** A page in the manner of travel mails: nested tables, rows, small print. */
export function page(title: string, rows: readonly (readonly [string, string])[], markup: string): string {
  const cells = rows
    .map(([name, value]) => `<tr><td class="k">${escapeHtml(name)}</td><td class="v">${escapeHtml(value)}</td></tr>`)
    .join('\n');
  return `<!DOCTYPE html>
<html><head><title>${escapeHtml(title)}</title>
<style>.k{color:#666}.v{font-weight:bold}</style>
</head><body>
<table width="600" align="center"><tr><td>
<table width="100%"><tr><td><h1>${escapeHtml(title)}</h1></td></tr></table>
${markup}
<table width="100%" cellpadding="4">
${cells}
</table>
<table><tr><td><small>This is an invented mail of a sandbox. Nobody travels.</small></td></tr></table>
</td></tr></table>
</body></html>
`;
}
