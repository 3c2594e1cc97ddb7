/** Yaml is the subset of YAML values used here. */
export type Yaml = string | number | boolean | readonly Yaml[] | { readonly [key: string]: Yaml };

/**
 * Formats a block mapping. Texts are always quoted: a token of digits, or a node called `no`, must remain a
 * text.
 */
export function yamlText(mapping: { readonly [key: string]: Yaml }): string {
  return `${mappingLines(mapping).join('\n')}\n`;
}

function mappingLines(mapping: { readonly [key: string]: Yaml }): string[] {
  return Object.entries(mapping).flatMap(([key, value]) => {
    if (typeof value !== 'object') return [`${keyText(key)}: ${scalar(value)}`];
    return [`${keyText(key)}:`, ...blockLines(value).map((line) => `  ${line}`)];
  });
}

function blockLines(value: Yaml): string[] {
  if (typeof value !== 'object') return [scalar(value)];
  if (!isList(value)) return mappingLines(value);
  return value.flatMap((item) => blockLines(item).map((line, i) => (i === 0 ? `- ${line}` : `  ${line}`)));
}

function isList(value: Yaml): value is readonly Yaml[] {
  return Array.isArray(value);
}

/** Quotes a key that YAML would not read as text, such as a node called `1` or `no`. */
function keyText(key: string): string {
  const isText = /^[a-z][\w-]*$/i.test(key) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(key);
  return isText ? key : JSON.stringify(key);
}

function scalar(value: string | number | boolean): string {
  return JSON.stringify(value);
}
