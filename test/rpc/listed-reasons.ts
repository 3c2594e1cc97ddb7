import { readFileSync } from 'node:fs';

/** Returns the reasons that each RPC's comment lists, with those of every method. */
export function listedReasons(): ReadonlyMap<string, ReadonlySet<string>> {
  const source = readFileSync('proto/discovery/v1/service.proto', 'utf8').replaceAll(/\n\s*\/\/ ?/g, ' ');
  const [, common = ''] = /Every method can also return ([^.]*)\./.exec(source) ?? [];
  return new Map(
    [...source.matchAll(/Reasons: ([^.]*)\.\s*rpc (\w+)\(/g)].map(([, reasons = '', rpc = '']) => [
      rpc,
      new Set([...words(common), ...words(reasons)]),
    ]),
  );
}

function words(text: string): string[] {
  return text.match(/\b[A-Z][A-Z_]+\b/g) ?? [];
}
