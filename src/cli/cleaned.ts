import { printable } from '../values/quote.ts';

/** Makes the texts of a message and its fields printable, in place. */
export function cleaned<T>(value: T): T {
  if (typeof value === 'string') return printable(value) as T;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const fields = value as Record<string, unknown>;
  for (const [name, field] of Object.entries(fields)) {
    if (!name.startsWith('$')) fields[name] = cleaned(field);
  }
  return value;
}
