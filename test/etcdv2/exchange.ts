import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** A recorded request to a real v2 keys API, and its response. */
export interface Exchange {
  readonly name?: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly body?: string;
  };
  readonly response: Recorded;
}

export interface Recorded {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether the response was a wait that had not ended when it was recorded. */
  readonly stillOpen?: boolean;
}

/** Returns the exchanges of a file in test/golden. */
export function recorded(file: string): Exchange[] {
  return readFileSync(`test/golden/${file}`, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Exchange);
}

/** An expected response: JSON whose strings may be patterns. */
export type Expected =
  | string
  | number
  | boolean
  | undefined
  | RegExp
  | readonly Expected[]
  | { readonly [name: string]: Expected };

export interface Shape {
  readonly status: number;
  readonly headers: { readonly [name: string]: Expected };
  readonly body: Expected;
}

/** Returns a recorded response as a shape, with its body parsed if it is JSON. */
export function shapeOf({ status, headers, body }: Recorded): Shape {
  const isJson = headers['content-type'] === 'application/json' && body !== '';
  if (!isJson) return { status, headers, body };
  assert.ok(body.endsWith('}\n'), 'JSON ends with a newline');
  return { status, headers, body: JSON.parse(body, sortNodes) as Expected };
}

/** Sorts lists, whose order is undefined unless the request asks for sorted ones. */
function sortNodes(name: string, json: unknown): unknown {
  if (name === 'nodes') (json as Array<{ key: string }>).sort((a, b) => (a.key < b.key ? -1 : 1));
  return json;
}

/**
 * Maps recorded indexes to our revisions. The numbers are arbitrary, but equal ones must stay equal and later ones
 * greater.
 */
export class Indexes {
  readonly #ours = new Map<number, number>([[0, 0]]);

  /** Records that our revision appears where an index was recorded. Fails if that contradicts earlier ones. */
  match(theirs: number, ours: number, where: string): void {
    for (const [other, mapped] of this.#ours) {
      const want = Math.sign(theirs - other);
      assert.equal(
        Math.sign(ours - mapped),
        want,
        `${where}: ${ours} for ${theirs}, and ${mapped} for ${other}`,
      );
    }
    this.#ours.set(theirs, ours);
  }

  /**
   * Returns the index to request where one was recorded: ours, or one equally far after the latest of ours before it.
   */
  ours(theirs: number): number {
    const before = [...this.#ours.keys()].filter((index) => index <= theirs);
    const latest = Math.max(...before);
    return (this.#ours.get(latest) ?? 0) + theirs - latest;
  }
}

/** Compares a response with the expected one. Indexes are mapped, and everything else must be equal. */
export function compare(actual: Expected, expected: Expected, indexes: Indexes, where: string): void {
  if (expected instanceof RegExp) {
    assert.ok(
      typeof actual === 'string' && expected.test(actual),
      `${where}: ${JSON.stringify(actual)} matches ${expected}`,
    );
  } else if (/(Index|index)$/.test(where)) {
    indexes.match(Number(expected), Number(actual), where);
  } else if (typeof expected === 'object') {
    assert.ok(typeof actual === 'object', `${where}: ${JSON.stringify(actual)} is an object`);
    assert.deepEqual(Object.keys(actual), Object.keys(expected), `the fields of ${where} and their order`);
    for (const [name, value] of Object.entries(expected)) {
      compare((actual as Record<string, Expected>)[name], value, indexes, `${where}.${name}`);
    }
  } else {
    assert.equal(actual, expected, where);
  }
}
