// Plain JavaScript that is not compiled to dist/, because `npm test` uses it before dist/ exists.
const TOOL = new URL('../../../test/tools/debian.mjs', import.meta.url);
const tool = (await import(TOOL.href)) as typeof import('../tools/debian.mjs');

/** Returns the path of a command on PATH, or undefined. */
export const onPath = tool.onPath;

/** Installs the commands of Debian packages if it runs as root. Returns a sentence that says which are missing. */
export async function needCommands(packages: Readonly<Record<string, string>>): Promise<string | undefined> {
  const missing = Object.keys(packages).filter((command) => onPath(command) === undefined);
  if (missing.length === 0) return undefined;
  const names = missing.map((command) => packages[command] ?? command);
  if (tool.isDebianRoot()) return tool.installDebian(...names);
  return `not on PATH: ${missing.join(', ')}; on Debian: apt-get install ${names.join(' ')}`;
}

export const { installDebian, isDebianRoot } = tool;
