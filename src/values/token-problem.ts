/** A line about the data of a token, which is not named whole. */
export function tokenProblem(token: string, problem: string): string {
  return `token ${token.slice(0, Math.min(4, token.length >> 2))}...: ${problem}`;
}
