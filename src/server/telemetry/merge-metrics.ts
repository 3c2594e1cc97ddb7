interface Family {
  /** What it is and of which type. */
  readonly head: readonly string[];
  readonly samples: string[];
}

/**
 * The metrics of several workers as one text, in Prometheus' text format: each sample with a label that says whose it
 * is. Not their sums: that of a counter would fall when one worker starts anew.
 */
export function mergeMetrics(texts: ReadonlyMap<number, string>): string {
  const families = new Map<string, Family>();
  for (const [worker, text] of texts) {
    let head: string[] = [];
    let family: Family | undefined;
    for (const line of text.split('\n')) {
      if (line === '') continue;
      if (line.startsWith('#')) {
        const [, word, name = ''] = line.split(' ', 3);
        if (word === 'HELP') head = [];
        head.push(line);
        family = families.get(name) ?? { head, samples: [] };
        families.set(name, family);
      } else {
        family?.samples.push(labelled(line, worker));
      }
    }
  }
  return [...families.values()].flatMap(({ head, samples }) => [...head, ...samples, '']).join('\n');
}

/** `name 1` or `name{a="b"} 1`. */
function labelled(sample: string, worker: number): string {
  const end = sample.search(/[{ ]/);
  const [name, rest] = [sample.slice(0, end), sample.slice(end)];
  const label = `worker="${worker}"`;
  return rest.startsWith('{') ? `${name}{${label},${rest.slice(1)}` : `${name}{${label}}${rest}`;
}
