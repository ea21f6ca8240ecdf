/** Imports of a file, and those that go the wrong way. */
import { type Program, parseSync, Visitor } from 'oxc-parser';
import { type Import, refusal } from './directions.ts';

type Found = Import & { readonly start: number };

/** Every import of a file, in whatever form. */
function importsOf(program: Program): Found[] {
  const found: Found[] = [];
  const add = ({ start }: { start: number }, source: object, kind = 'value') => {
    const from = 'value' in source && typeof source.value === 'string' ? source.value : null;
    found.push({ from, isType: kind === 'type', start });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node, node.source, node.importKind),
    ExportAllDeclaration: (node) => add(node, node.source, node.exportKind),
    ExportNamedDeclaration: (node) => node.source && add(node, node.source, node.exportKind),
    ImportExpression: (node) => add(node, node.source),
    TSImportType: (node) => add(node, node.source, 'type'),
    TSExternalModuleReference: (node) => add(node, node.expression),
  }).visit(program);
  return found;
}

/** The imports of a file that go the wrong way: where each is, and why. */
export function refusalsIn(file: string, text: string): string[] {
  const { program, errors } = parseSync(file, text);
  if (errors[0]) return [`${file} cannot be read: ${errors[0].message}`];
  return importsOf(program).flatMap(({ start, ...each }) => {
    const why = refusal(file, each);
    return why === null ? [] : [`${file}:${text.slice(0, start).split('\n').length} '${each.from ?? '…'}': ${why}`];
  });
}
