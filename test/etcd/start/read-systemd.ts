/** The settings of a unit, by the rules of systemd.syntax(7) and systemd.service(5). */
export interface Unit {
  /** The command line of ExecStart. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Every other setting of every section. */
  readonly settings: ReadonlyMap<string, string>;
}

export function readUnit(text: string): Unit {
  const settings = new Map<string, string>();
  const env: Record<string, string> = {};
  let argv: string[] = [];
  for (const line of text
    .replaceAll(/^[#;].*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n')) {
    const equals = line.indexOf('=');
    if (line.startsWith('[') || equals < 0) continue;
    const [key, value] = [line.slice(0, equals), line.slice(equals + 1)];
    if (key === 'ExecStart') argv = words(value).map((word) => word.replaceAll('$$', '$'));
    else if (key === 'Environment') Object.assign(env, Object.fromEntries(words(value).map(assignment)));
    else settings.set(key, value);
  }
  return { argv, env, settings };
}

function assignment(word: string): [string, string] {
  const equals = word.indexOf('=');
  return [word.slice(0, equals), word.slice(equals + 1)];
}

/** Splits at spaces outside of quotes, with C escapes and `%%`. */
function words(text: string): string[] {
  const found: string[] = [];
  for (const [word] of text.matchAll(/(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"'])+/g)) {
    const bare = word.replaceAll(/^(["'])(.*)\1$/gs, '$2').replaceAll(/\\(.)/g, '$1');
    if (/%[^%]/.test(bare.replaceAll('%%', ''))) throw new Error(`a specifier: ${word}`);
    found.push(bare.replaceAll('%%', '%'));
  }
  return found;
}
