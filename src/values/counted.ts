/** Formats a count with its noun: `1 event`, `2 events`. */
export function counted(count: number | bigint, thing: string, things = `${thing}s`): string {
  return `${count} ${Number(count) === 1 ? thing : things}`;
}
