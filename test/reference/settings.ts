import { SETTINGS, type Setting } from '../../src/settings/settings.ts';

/** Returns the settings as a Markdown table. */
export function settingsTable(): string {
  const settings: readonly Setting<unknown>[] = Object.values(SETTINGS);
  const rows = settings.map(({ flag, short, env, old, value, help, default: preset }) => {
    const flags = [
      ...(flag === undefined ? [] : [`--${flag} ${value}`]),
      ...(short === undefined ? [] : [`-${short}`]),
    ];
    const also = old === undefined ? '' : ` Also: \`-${old.short}\`, \`--${old.flag}\`, \`${old.env}\`.`;
    const cells = [
      flags.map((each) => `\`${each}\``).join(', '),
      `\`${env}\``,
      preset === undefined ? '' : `\`${preset}\``,
      help + also,
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| Flag | Variable | Default | Meaning |', '|---|---|---|---|', ...rows].join('\n');
}
