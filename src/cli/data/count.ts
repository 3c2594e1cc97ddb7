/** `1 token with 3 members`. */
export function tokens(count: number, members: number): string {
  return `${count} ${count === 1 ? 'token' : 'tokens'} with ${members} ${members === 1 ? 'member' : 'members'}`;
}
