import { readFileSync } from 'node:fs';

/** What each RPC may be refused for as its comment says, with what every call may be. */
export function listedReasons(): ReadonlyMap<string, ReadonlySet<string>> {
  const source = readFileSync('proto/discovery/v1/service.proto', 'utf8').replaceAll(/\n\s*\/\/ ?/g, ' ');
  const [, common = ''] = /to those of every call belong ([^.]*)\./.exec(source) ?? [];
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
