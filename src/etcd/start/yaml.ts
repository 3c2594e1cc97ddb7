/** What a YAML document is made of here. */
export type Yaml = string | number | boolean | readonly Yaml[] | { readonly [key: string]: Yaml };

/** A block mapping. Texts are quoted, always: a token of digits, or a node called `no`, must stay a text. */
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

/** A key that would not be a text, as that of a node called `1` or `no`, is quoted. */
function keyText(key: string): string {
  const isText = /^[a-z][\w-]*$/i.test(key) && !/^(y|n|yes|no|on|off|true|false|null)$/i.test(key);
  return isText ? key : JSON.stringify(key);
}

function scalar(value: string | number | boolean): string {
  return JSON.stringify(value);
}
