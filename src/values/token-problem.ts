/** Formats a problem with the data of a token as one line. The token is shortened. */
export function tokenProblem(token: string, problem: string): string {
  return `token ${token.slice(0, Math.min(4, token.length >> 2))}...: ${problem}`;
}
